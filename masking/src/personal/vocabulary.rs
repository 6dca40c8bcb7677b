//! The words that say what a number is, in about thirty languages, as data.
//!
//! The words are written in lower case and without accents, and the words of a phrase without
//! spaces: `datebirth` also means `dateBirth`, `date_birth` and `DATE-BIRTH`. A `*` at the end
//! stands for any ending, because many languages add cases and `-number` to a word. Words of
//! scripts without spaces count inside a longer text as well.
//!
//! The words are those of public forms and documentations in these languages: the fields of tax
//! offices and registries, of payment providers, of phone operators, of CLDR and schema.org.

use super::context::Label;

/// The words of each meaning.
#[rustfmt::skip]
pub(super) const WORDS: &[(Label, &str)] = &[
    (Label::Phone, "
        phone* telephone* telefo* telepho* cellphone* handphone* smartphone* cell cellular* celular* celulare cel tel tels telno
        telf tfno tfn tlf tlfno ph mob mobile mobiles mobilephone mobileno mobilenumber mobilenr mobil mobilni mobiln* mobila mobilnr
        mobilnummer* mobiltel* mobils* mobilu mobiltlf mobitel* movil moviles gsm gsmno msisdn* handy handynr handynummer* rufnummer* ruckruf durchwahl* festnetz*
        fax faxno faxes faxnummer telefax* landline* hotline sip sips sinpe bizum mbway swish vipps mobilepay twint gcash mpesa momo nequi yape plin bkash nagad paytm upiphone dial dialed dialled dialing dialednumber call calls calling caller* callee* calledparty
        callback sms smsto contactno contactnumber contactnum contactphone contactmobile contactus contact whatsapp* wame waid wa viber telegram signal
        remotejid destinationaddr sourceaddr destaddr srcaddr senderphone ani dnis clid callerid calleridnum cli
        portable tele teleph joignable appelez rappeler numeroportable numerotelephone numtel numtelephone
        fono fonos fone telemovel telemoveis contato whats ligar ligue llamar llame llamada
        cellulare cellulari fisso recapito chiamare chiamata utenza
        telefoon* belnummer mobiele mobielnummer toestel
        komorka komorkowy komorkowego komorkowa stacjonarny dzwonic
        tlfnr telnr telefonnr tlfnummer ring matkapuhelin* puhelin* puh kannykka gsmnumero sími simi farsimi simanumer
        telefonszam* mobilszam* mobiltelefon* hivjon
        telef mobitela mob broj telefona
        talr talrunis talruna mobiils mobiil* mobilusis mobtel telefonas
        cep ceptel ceptelefon* cepno telno gsmno
        simu simuyamkononi hp nohp telp telpon telepon ponsel nomorhp notelp notelepon nohandphone
        dienthoai sodienthoai sdt sodt didong
        телефон* тел моб мобильн* мобилен* мобилни* мобил* звонок звоните звонить звонка факс сотов* тлф телефону гсм
        τηλεφων* τηλ κινητο* φαξ
        טלפון* נייד פקס טל סלולרי
        هاتف الهاتف تليفون التليفون جوال الجوال موبايل الموبايل محمول المحمول تلفن تماس همراه شماره موبایل فون فاكس نقال النقال
        फोन मोबाइल दूरभाष फ़ोन মোবাইল ফোন टेलीफोन தொலைபேசி ఫోన్ મોબાઇલ মুঠোফোন
        โทร มือถือ เบอร์ โทรศัพท์
        電話 电话 手机 手機 携帯 携带 ケータイ 連絡先 联系方式 联系电话 ファックス 传真 傳真
        전화 휴대폰 휴대전화 연락처 핸드폰 팩스"),
    // These say that a number is a phone number only if it has the form of one with its country's code.
    (Label::Party, "to from recipient recipients destination sender dest dst src originator toaddr fromaddr extension"),
    (Label::Card, "
        card cards cardid cardpan cc creditcard* debitcard* credit debit pan visa mastercard amex
        maestro americanexpress discover diners dinersclub jcb unionpay rupay troy mir elo hipercard
        kreditkart* karte karten karta karty kartu kartou kort kontokort korttinumero luottokort* pankkikort*
        carte cartes cartebancaire numerocarte tarjeta* cartao cartoes numerocartao numcartao carta cartadicredito numerocarta kaart
        kart kartno karti kartin kartnumarasi kredikart* bankacikart* kartya* bankkartya* hitelkartya* kartica* kartice cardul card
        карт* καρτα* כרטיס* بطاقة البطاقة كارت کارت कार्ड কার্ড บัตรเครดิต หมายเลขบัตร thetindung sothe kartukredit
        カード 银行卡 銀行卡 银联卡 信用卡 卡号 卡號 카드"),
    (Label::Account, "
        accountno accountnum accountnumber* accountnr acctno acctnum acctnumber acctnr accno accnum accnumber acno ac bankaccount* bankacc bankacct bankac
        checkingaccount savingsaccount beneficiaryaccount payeeaccount debitaccount creditaccount accountiban ibanaccount depositaccount nuban
        sortcode routing routingno routingnumber routingnum aba abarouting abano transitno transitnumber institutionnumber bsb bsbno bsbnumber branchcode bankcode bic clabe cbu cvu cci
        kontonummer* kontonr kontono konto kontoinhaber bankkonto bankverbindung blz bankleitzahl
        numerodecompte numerocompte comptebancaire numcompte rib
        cuenta cuentabancaria numerodecuenta numerocuenta cuentacorriente cuentaahorro cuentaahorros cuentaclabe clabeinterbancaria
        contacorrente contapoupanca contabancaria numeroconta numerodaconta agencia conta poupanca nib
        contocorrente numerodiconto contobancario conto numeroconto coordinatebancarie cc
        rekening rekeningnummer* rekeningnr bankrekening* rachunek rachunku nrrachunku numerrachunku konta nrkonta nrb
        bankgiro plusgiro clearingnummer tilinumero pankkitili reikningsnumer bankareikningur
        cislouctu uctu cislouctu szamlaszam* bankszamla* contbancar numarcont cont ziroracun racun brojracuna transakcijskiracun
        hesapno hesapnumarasi hesap bankahesap* norek norekening nomorrekening akaun noakaun sotaikhoan taikhoan stk
        счет счёт счета счету расчетныйсчет рсчет рс рахунок рахунку сметка сметка рачун ραχυν λογαριασμ*
        חשבוןבנק חשבון الحساب حساب رقمالحساب شمارهحساب खाता हिसाब একাউন্ট
        บัญชี 口座 账号 賬號 帳號 账户 銀行帳戶 계좌"),
    (Label::Birth, "
        dob dateofbirth datebirth birthdate* birthday* birth bday birthdt born dobdate dateborn borndate
        geburtsdatum* geburtstag* geb geboren gebdat gebdatum geborene geborener
        datenaissance datedenaissance naissance nele nee neele datenais naiss
        fechadenacimiento fechanacimiento nacimiento nacido nacida nacio fecnac fnac fechanac fecnacimiento cumpleanos
        datadenascimento datanascimento nascimento nascido nascida nasc datanasc dtnasc dtnascimento aniversario
        datadinascita datanascita nascita nato nata natail natoil natail
        geboortedatum* geboorte geb gebdatum
        fodelsedatum* fodelsedato* fodselsdato* fodd fodt fodseldato fodelsedag foddatum fodelsdag foedselsdato syntymaaika* syntynyt syntymapaiva fodingardagur faedingardagur faedingardag*
        dataurodzenia urodzenia urodzony urodzona urodzil urodzila ur
        datumnarozeni narozeni narozen narozena datumnarodenia narodenia narodeny narodena datumnar datnar
        szuletesi* szuletett szuletes* szul datanasterii nasterii nascut nascuta nascutla
        datumrodenja datumrodjenja rodenja rodjenja roden rodena rodjen rodjena rojstva datumrojstva rojen rojena
        dzimsanas dzimis dzimusi dzimsanasdatums gimimo gimimodata gimes gimusi sunniaeg sunnikuupaev sundinud sunnipaev
        dogumtarihi dogum dogumlu dogumgunu ditelindja datelindja datlindja lindur
        tanggallahir tgllahir lahir tarikhlahir kelahiran kapanganakan ngaysinh sinhngay sinhnhat tarehekuzaliwa
        рожден* рождён* родился родилась род др датарождения народжен* народився народилася роден родена раждане ражданедата рођен рођења рођена датаражд* раден туған нараджэння
        γεννησ* γεννηθ* לידה נולד נולדה الميلاد ميلاد مولود تولد میلاد जन्म जन्मतिथि जन्मदिन জন্ম জন্মতারিখ பிறந்த
        วันเกิด เกิด 生年月日 誕生日 生まれ 出生 生日 誕生 생년월일 생일 출생"),
    (Label::Hardware, "mac macaddress macaddr hwaddr hwaddress hardwareaddress physicaladdress physicaladdr ether ethernetaddress bssid wifimac wlanmac btaddr bluetoothaddress bdaddr chaddr lladdr wifimacaddress ethernetmacaddress clientmac stationmac sta stamac stamgr apmac macadresse macadres адресmac"),
    (Label::Device, "
        imei imeisv imeino imeinumber meid esn imsi iccid eid simserial simserialnumber simno simcardnumber cgsn cimi ccid udid deviceudid idfa idfv gaid aaid adid
        advertisingid advertisingidentifier adsid adid googleadid googleadvertisingid androidid deviceid deviceidentifier vendorid identifierforvendor
        openudid oaid vaid ifa rdid msai smartcardid gerateid geraeteid identifiantappareil 设备号 设备标识 串号 기기식별번호"),
    (Label::Wallet, "
        wallet wallets walletaddress walletaddr address addr payoutaddress payout withdrawal withdrawaladdress depositaddress deposit btc bitcoin xbt eth ether* erc ltc litecoin
        doge dogecoin xmr monero sol solana usdt usdc trx tron trc xrp ripple ada cardano bnb bsc bch bitcoincash dash zec zcash dot polkadot ksm atom cosmos algo algorand xlm stellar near ton
        avax matic polygon tezos xtz eos hbar metamask crypto cryptocurrency coin phantom ledger pubkey holder
        geldborse cartera billetera portefeuille carteira portafoglio portfel portmonetka адрес адреса кошелек кошелёк кошелька гаманець cuzdan dompet vitien
        钱包 錢包 地址 ウォレット 지갑 محفظة वॉलेट"),
    // Numbers of persons. After these words every number of a plausible form is hidden, because
    // no other number follows them. The words of single countries are in the table of identities.
    (Label::Identity, "
        passport* passeport* pasaport* passaport* reisepass* paspor paspoort* pasport* putovnic* pasu pasos passi passinnumero passnummer* passnr passno passnum ppt
        utlevel* uteleveleszam pasaporte cestovni cestovnipas cestovnydoklad vegabref vegabrefs passinumber passinr pasonumeris pases paszport* pasapor
        паспорт* загранпаспорт* пасош* διαβατηρι* דרכון* جوازسفر جواز الجواز گذرنامه पासपोर्ट পাসপোর্ট พาสปอร์ต หนังสือเดินทาง hochieu sohochieu 护照 護照 旅券 パスポート 여권
        driverslicense driverslicence driverslicense* driverlicense* driverslicence* driverlicence* drivinglicen* drivinglicense* driverslic licensenumber dlnumber dlno dl dlnum driverid licenceno driverslicenseno dlnumber
        fuhrerschein* fuehrerschein* permisdeconduire permisconduire carnetdeconducir licenciadeconducir permisodeconducir licenciaconducir licenciaconduccion cartadeconducao cartaconducao habilitacao patente patentediguida rijbewijs* prawojazdy prawajazdy
        korkort* korekort* forerkort* ajokort* ridicsky vodicskypreukaz ridicskyprukaz ridicskehoprukazu jogositvany* permisauto permisdeconducere vozackadozvola vozniskodovoljenje ehliyet* surucubelgesi nosim giaypheplaixe lesenmemandu
        водительскоеудостоверение водительское водійське шофьорска διπλωμα רישיון رخصةالقيادة رخصةقيادة गाड़ी ใบขับขี่ 运転免許 運転免許 免許証 驾驶证 駕照 驾照 운전면허
        identitycard* identitydocument identitynumber identityno idcard idcards idcardno idno idnumber idnr identificationnumber identificationno personalid personalidno personalidnumber personalnumber personalno personalcode nationalid nationalidno nationalidnumber nationalidentity nationalidentitynumber
        nationalnumber nationalinsurance citizenid citizenshipno citizennumber documentnumber documentno docnumber residencepermit residentid residenceno alienregistration greencard uscis visano socialinsurance socialinsurancenumber socialsecurity socialsecurityno socialsecuritynumber
        socialsec govid governmentid govtid laserid taxid taxidno taxidnumber taxnumber taxno taxpayerid taxpayeridentificationnumber taxreference taxfilenumber taxcode taxidentificationnumber tin tinno vat vatno vatid vatnumber vatreg vatin
        healthid healthcard healthinsurancenumber healthno healthcardnumber insurancenumber medicare medicaid mbi mrn patientid nhsnumber nhs nhi ehic
        personalausweis* ausweisnummer* ausweisnr ausweis aufenthaltstitel personenkennzahl steuerid steueridnr steueridnummer steuernummer* steuernr steueridentifikationsnummer idnr ustid ustidnr umsatzsteuerid mwst mwstnr sozialversicherungsnummer* sozialversicherungsnr svnr svnummer rentenversicherungsnummer* rvnr versichertennummer* krankenversichertennummer* krankenversicherungsnummer kvnr kvnummer ahv ahvnr ahvnummer ahvn
        cartedidentite cartenationaledidentite cni carteidentite numeroidentite numeronational titredesejour cartedesejour numerofiscal securitesociale numerosecu nss nir insee cartevitale carteid matriculenationale registrenational
        documentonacionaldeidentidad documentodeidentidad documentoidentidad documento carnetdeidentidad carneidentidad cedula cedulas ceduladeciudadania ceduladeidentidad cedulaciudadania cedulaidentidad seguridadsocial numeroseguridadsocial segurosocial tarjetasanitaria tarjetadeidentidad identificacion numeroidentificacion nodeidentificacion identificaciontributaria
        cartaodecidadao cartaocidadao bilhetedeidentidade registrogeral rgnumero carteiradeidentidade identidade identidad identita identidadeno tituloeleitor titulodeeleitor cartaosus cns cartaonacionaldesaude contribuinte numerodecontribuinte cartadeidentidade segurancasocial
        cartadidentita cartaidentita codicefiscale codfiscale codfisc cfisc partitaiva piva tesserasanitaria documentodidentita
        identiteitskaart* identiteitsbewijs* idkaart rijksregister* burgerservicenummer* btw btwnummer btwnr documentnummer* zorgpas
        dowodosobisty dowoduosobistego dowodu dowod seriainumer numeridentyfikacji identyfikacji numerdowodu
        personnummer* personnr samordningsnummer* idkort organisationsnummer orgnr fodselsnummer* fodelsenummer* henkilotunnus* hetu henkilokort* kennitala kennitolu persnr fodselsnr
        obcanskyprukaz obcanskyprukazu obcanskehoprukazu cisloop obcianskypreukaz obcianskehopreukazu rodnecislo rodnehocisla rodne rodneho cislopojistence dic ico
        szemelyigazolvany* szemelyiszam* szemelyiazonosito* tajszam taj adoazonosito* adoszam* adojel buletin carteadeidentitate carteidentitate serieci codnumericpersonal
        osobnaiskaznica osobneiskaznice licnakarta licnekarte osebnaizkaznica osobnaizkaznica davcnastevilka davcna maticnibroj jedinstvenimaticni brojlicnekarte
        personaskods personaskod personaskoda asmenskodas asmens isikukood* isikukoodi idkaart asmenstapatybes
        kimlik kimlikno tckimlik tckimlikno tckn tcno vergino verginumarasi vergikimlik* vkn nufuscuzdani
        ktp noktp nik npwp kk nokk kadpengenalan nokadpengenalan mykad nric fin fincard icno ic nopassport kitas kitambulisho
        cccd cmnd cancuoc cancuoccongdan chungminh* masothue mst bhyt bhxh
        numripersonal letraidentiteti numriidentitetit nid nidno nin bvn nuit nni nrc ninea niu trn nira fayda pinfl jshshir pinpp voen citizenshipnumber citizenship ghanacard kra krapin huduma tpin nida
        паспортсерия удостоверениеличности идентификационный идентификационен удостоверение личныйномер личнойкарты личнакарта инн снилс огрнип омс полисомс рнокпп іпн ипн едрпоу жсн иин бин егн егнномер личенномер лнч единенграждански јмбг емшо ембг эмбг жмбг пнфл пинфл пин регистрийндугаар բնակչության հծհ პირადინომერი პირადი
        δελτιουταυτοτητασ ταυτοτητα ταυτοτητασ αδτ αφμ αφτ αμκα αριθμοσταυτοτητασ
        זהות תעודתזהות מספרזהות תז תז
        الهوية هوية هويه الرقمالقومي رقمالهوية رقمقومي الاقامة الإقامة إقامة اقامة السجلالمدني بطاقةالهوية رقموطني الرقمالوطني الوطني کدملی ملی شناسنامه شناختیکارڈ
        आधार पैन पहचान মতদাতা এনআইডি জাতীয় পরিচয় पैनकार्ड
        เลขประจำตัว บัตรประชาชน ประจำตัวประชาชน ประชาชน ผู้เสียภาษี ประกันสังคม
        身份证 身分證 身份證 居民身份 统一编号 統一編號 健保卡 社保 社会保障 军官证 港澳通行证 税号 稅號 纳税人识别 居留证 居留證
        マイナンバー 個人番号 在留カード 在留番号 健康保険証 保険証 被保険者 住民票コード 基礎年金番号 年金番号 身分証
        주민등록 주민번호 외국인등록 신분증 사업자등록 건강보험증 주민"),
    (Label::Version, "
        version versions ver rel release build driver firmware kernel linux oid assembly fileversion productversion assemblyversion upgrade upgraded bootloader
        section sections chapter clause paragraph annex appendix figure fig table article kapitel abschnitt ziffer bild abbildung tabelle anhang absatz annexe chapitre paragraphe figura tableau
        capitulo seccion anexo apartado capitolo sezione allegato paragrafo hoofdstuk paragraaf bijlage rozdzial punkt zalacznik bilaga avsnitt kapitola bolum madde ek версия верси* раздел пункт глава приложение рис εκδοση
        附录 附錄 章 节 節 条 版本 バージョン 버전 부록"),
    // They say nothing about a number.
    (Label::Neutral, "
        number numbers no nos nr nrs num nums n nº nro numero numeros numer numeru nummer nummern numera numara numarasi nomor nomer nombor broj cislo szam szama so numar numarul numri numeris numurs number номер номера № ном αριθμος αριθμοσ αρ מספר רقم رقم شماره نمبر नंबर संख्या নম্বর เลขที่ หมายเลข
        value val values is was are be ist war es est era e et er ar on onto of the a an la le el los las les il lo un una der die das den dem am vom vor von het een is de do da di du del della im in to
        field key string text str type name attr attribute data tipo typ param this your my its his her their meu minha mein meine mon ma mi mio il tuo su seu
        date datetime datum fecha дата dia giorno
        full raw old new the input with and i und y o und primary secondary current
        work home main private business direct personal other fixed w h p
        countrycode countryprefix dialcode dialingcode areacode
        клиента клієнта klienta kunden абонента абонент subscriber abonent абонемента
        seria serie series serien serija серия серія сер сериа ser issued registro registered
        acc account acct compte konton cod code
        number номер № n° 号 號 号码 號碼 番号 번호 は が を 的 是 为"),
];

/// Words that turn a number into something else: they win if they are nearer than a word above.
#[rustfmt::skip]
pub(super) const OTHERS: &str = "
    amount amt sum total subtotal price cost balance build bytes byte kb mb code commit count cnt counter duration elapsed latency epoch execution exec id ids uuid guid index idx invoice* invoices length len
    offset order orders orderid orderno ordernumber port ports product products ref refs reference* ref refno size sku ticket* timestamp ts time year month version rev revision row rows line lines page pages position pos
    tracking track trackingno shipment* shipping parcel package consignment awb waybill bill bol lading container case cases caseno claim* booking* reservation* article articles part parts partno batch lot lots lote serial serialno serialnumber sn meter meterno policy policyno
    transaction* txn tx txid trx trans payment* receipt voucher coupon contract* agreement quote quotation po purchase purchaseorder rma return delivery deliverynote dossier member membership
    customer* client* userid uid customerid clientid accountid tenant tenantid subscription session sessionid request requestid trace traceid span spanid correlation messageid msgid eventid jobid pid tid thread
    hash sha md digest checksum crc etag nonce block height gas slot seq sequence sequenceno increment partition lag ean gtin upc isbn issn asin barcode ndc nsn cage oem mpn fru asset assetid tag model modelno drawing revision zip postcode postal plz cep
    isin cusip wkn sedol lei swift ssn1 siren siret duns naics population altitude lat lon lng latitude longitude x y z width height temperature pressure voltage
    bestell* auftrag* rechnung* lieferschein* lieferung* sendung* vorgang* kunden* vertrag* zahler* zaehler* ticketnr schaden* versicherungsschein* police policennummer seriennummer* artikel* artikelnr teilenummer* charge chargen* materialbeleg beleg* buchung* aktenzeichen equipment material herstellnummer* zolltarif* werk mitglied* vorgangsnummer* paket*
    bordereau* quittance* proforma produs*
    commande* facture* colis dossier* contrat* compteur* billet* livraison bon reference* lot numerodeserie suivi expedition abonnement piece pieces reservation* sinistre* devis recu
    pedido* factura* albaran* transaccion* contrato* contador* poliza* siniestro* localizador envio seguimiento guia lote expediente presupuesto recibo boleto folio
    encomenda* rastreio protocolo* apolice* sinistro* remessa chamado* notafiscal nota fiscal fatura* processo ordemdeservico entrega lote codigo
    ordine* fattura* bolletta biglietto* prenotazione spedizione* transazione* pratica* ddt polizza* vettura collo matricola contatore ricambio preventivo scontrino
    factuur* zending* klant* contractnummer* meternummer* polis* schade* transactie* bestelling* bestelnummer* opdracht* bonnummer kenmerk pakket* artikelnummer* order* dossiernummer
    zamowien* faktur* przesylk* umow* licznik* polis* transakcj* zgloszen* spraw* reklamacj* katalogowy klient* paczk* towar* parti* szkod*
    ordernummer* faktura* fakturanummer* kundnummer* avtal* matar* arende* forsakring* skadenummer* ocr leverans* artikel* sending* sporing* kundenr ordre* bestilling* tilaus* lasku* lahetys* asiakas* viitenumero pontun reikningur
    objednav* objednak* faktury zasilk* zakaznick* smlouv* smluv* elektromer* zbozi spisova jednaci variabilni variabilnisymbol symbol zmluv* zasielk*
    rendeles* szamla szamlaszama csomag* ugyfel* szerzodes* comanda* comenzi factura* colet* narudzb* racunbroj posiljk* porudzbin* pasutijum* uzsakym* tellimus* arve*
    siparis* fatura* irsaliye* kargo* musteri* sozlesme* sayac* poliçe police* hasar* talep* urun* parti rezervasyon* bilet* islem* takip* iade*
    pesanan* faktur* pengiriman resi invois penghantaran donhang mavandon hoadon hopdong agizo ankara
    заказ* счет-фактур* накладн* договор* артикул* парти* полис* отправлен* обращен* заявк* убытк* оплат* трек* позици* замовлен* накладна поръчк* фактур* пратк* товар* операци* транзакц* чек* клиент* лицевой дело поруџбин* нарачк* тапсырыс*
    παραγγελι* τιμολογι* αποστολ* συναλλαγ* πελατ*
    הזמנה* חשבונית* משלוח* פנייה طلب الطلب فاتورة شحنة الشحنة معاملة سفارش فاکتور पुस्तक ऑर्डर चालान অর্ডার
    คำสั่งซื้อ ใบสั่ง พัสดุ ใบแจ้งหนี้
    订单 訂單 运单 运單 快递 物流 单号 單號 流水 交易 合同 客户 客戶 批号 批號 序列 保单 报案 电表 发票 商品 编号
    注文 受注 請求 契約 お客様 顧客 計器 証券 事故 品番 ロット 製造 管理番号 伝票 チケット 予約 商品 追跡 送り状 社員 会員 取引 問い合わせ
    주문 송장 거래 접수 증권 품번 로트 예약 반품 고객 계약 상품 결제 운송장";
