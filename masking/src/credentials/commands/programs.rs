//! The programs and protocols whose credentials have no name, according to their manuals.

use Place::{
    After, AfterColon, AfterLogin, AfterSign, AfterUser, Attached, Device, Login, Oracle, Pair,
    Positional, Prefix,
};

/// Where a program's arguments have a credential.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// In the argument after an option: `-w X`.
    After(&'static str),
    /// The same, after the subcommand `login`.
    AfterLogin(&'static str),
    /// In the same argument as an option: `-pX`.
    Attached(&'static str),
    /// After the colon in the argument of an option: `-u user:X`.
    AfterColon(&'static str),
    /// After a separator in the argument of an option: `-U user%X`, `-u user,X`.
    AfterSign(&'static str, char),
    /// After a prefix in any argument: `pass:X`.
    Prefix(&'static str),
    /// In an argument without an option, counted from 0 after a subcommand: `add_user bob X`. A
    /// subcommand that ends in a dot is the beginning of an argument: `http-basic.host bob X`.
    Positional(&'static str, usize),
    /// In the lines of network devices, after words and numbers that say how it is written:
    /// `key-string 7 X`.
    Device,
    /// Between the slash and the `@` of Oracle's connections: `scott/X@db`.
    Oracle,
    /// After the slash of Oracle's logins without a database: `scott/X`.
    Login,
    /// After a keyword that follows a database and a user: `CONNECT TO shop USER bob USING X`.
    AfterUser(&'static str),
    /// After the colon of the last argument: `gems.example bob:X`.
    Pair,
}

/// A program, and where its credentials are.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) names: &'static [&'static str],
    pub(super) places: &'static [Place],
}

/// Stands for a program without a subcommand.
pub(super) const ANY: &str = "";

/// The last argument.
pub(super) const LAST: usize = usize::MAX;

/// Words before the value in a line of a network device.
#[rustfmt::skip]
pub(super) const FORMATS: &[&str] = &[
    "ascii", "ascii-text", "cipher", "hex", "md5", "ENC", "text", "simple", "plain", "local",
    "remote", "=", ":",
];

/// The programs and the places of their credentials.
#[rustfmt::skip]
pub(super) const PROGRAMS: &[Program] = &[
    Program { names: &["mysql", "mysqldump", "mysqlimport", "mysqlcheck", "mysqlpump", "mysqlsh", "mysqlshow", "mysqlslap", "mysqlbinlog", "mariadb", "mariadb-admin", "mariadb-dump", "mycli", "xtrabackup", "mariabackup", "mydumper"], places: &[Attached("-p")] },
    Program { names: &["mysqladmin"], places: &[Attached("-p"), Positional("password", 0)] },
    Program { names: &["sapcontrol"], places: &[Positional("-user", 1)] },
    Program { names: &["hdbuserstore"], places: &[Positional("SET", 3), Positional("Set", 3), Positional("set", 3)] },
    Program { names: &["radtest"], places: &[Positional(ANY, 1), Positional(ANY, LAST)] },
    Program { names: &["sp_addlogin"], places: &[Positional(ANY, 1)] },
    Program { names: &["sp_password"], places: &[Positional(ANY, 0), Positional(ANY, 1)] },
    Program { names: &["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat", "cqlsh", "influx", "evil-winrm", "hydra", "nxc", "crackmapexec", "sshpass", "psexec", "psexec64", "vncdo"], places: &[After("-p"), Attached("-p"), Oracle] },
    Program { names: &["curl", "http", "https", "xh", "ab", "siege", "hey", "wrk"], places: &[AfterColon("-u"), AfterColon("--user"), AfterColon("-U"), AfterColon("--proxy-user"), AfterColon("-a"), AfterColon("--auth"), AfterColon("-A"), AfterColon("-P"), AfterColon("-su"), AfterColon("-sSu"), AfterColon("-ku"), AfterColon("-sku"), AfterColon("-fsSu")] },
    Program { names: &["docker", "podman", "nerdctl", "buildah", "helm", "oras", "crane", "regctl", "oc", "cf"], places: &[AfterLogin("-p"), Attached("--password=")] },
    Program { names: &["skopeo"], places: &[AfterColon("--creds"), AfterColon("--src-creds"), AfterColon("--dest-creds")] },
    Program { names: &["az"], places: &[After("-p")] },
    Program { names: &["openssl"], places: &[Prefix("pass:"), Prefix("key:"), Prefix("hexkey:"), After("-psk"), After("-k"), After("-K"), After("-hmac"), Positional("passwd", LAST)] },
    Program { names: &["redis-cli", "valkey-cli", "keydb-cli"], places: &[After("-a"), After("--pass")] },
    Program { names: &["knife", "sqlcmd", "bcp", "isql", "fisql", "osql", "tsql", "ipmitool", "mosquitto_pub", "mosquitto_sub", "zip", "unzip", "ncat"], places: &[After("-P"), Attached("-P"), Positional("-v", 2)] },
    Program { names: &["7z", "7za", "rar", "unrar"], places: &[Attached("-p"), Attached("-hp")] },
    Program { names: &["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldapcompare", "dsconf", "vsql", "ipa-client-install"], places: &[After("-w"), Attached("-w")] },
    Program { names: &["ldappasswd", "slappasswd"], places: &[After("-w"), Attached("-w"), After("-s"), After("-a")] },
    Program { names: &["ipa-server-install", "ipa-replica-install"], places: &[After("-a"), After("-p"), After("-w")] },
    Program { names: &["samba-tool"], places: &[Positional("create", 1), Positional("add", 1)] },
    Program { names: &["wbinfo"], places: &[AfterSign("-a", '%'), AfterSign("--authenticate", '%')] },
    Program { names: &["netdom"], places: &[Prefix("/passwordd:"), Prefix("/passwordo:"), Prefix("/pd:"), Prefix("/po:")] },
    Program { names: &["unlock-keychain", "create-keychain"], places: &[After("-p")] },
    Program { names: &["set-key-partition-list"], places: &[After("-k")] },
    Program { names: &["add-generic-password", "add-internet-password"], places: &[After("-w")] },
    Program { names: &["security import"], places: &[After("-P")] },
    Program { names: &["ccrypt", "ccencrypt", "ccdecrypt", "mcrypt", "mdecrypt"], places: &[After("-K"), After("-k")] },
    Program { names: &["pk12util"], places: &[After("-W"), After("-K")] },
    Program { names: &["nzsql"], places: &[After("-pw")] },
    Program { names: &["gbak", "gfix", "gsec", "isql-fb", "nbackup"], places: &[After("-pas"), After("-pass")] },
    Program { names: &["surreal"], places: &[After("--pass"), After("-p")] },
    Program { names: &["bundle config", "stats auth"], places: &[Pair] },
    Program { names: &["bw unlock"], places: &[Positional(ANY, 0)] },
    Program { names: &["bw login"], places: &[Positional(ANY, 1)] },
    Program { names: &["altool", "steghide"], places: &[After("-p")] },
    Program { names: &["yubico-piv-tool"], places: &[After("-P"), After("-N"), After("-k")] },
    Program { names: &["ykman"], places: &[After("-P"), After("-n"), After("-p")] },
    Program { names: &["hash-password"], places: &[After("--plaintext"), After("-p")] },
    Program { names: &["pdftotext", "pdftoppm", "pdfimages", "pdfinfo"], places: &[After("-upw"), After("-opw")] },
    Program { names: &["keyvault secret set"], places: &[After("--value")] },
    Program { names: &["rclone"], places: &[Positional("obscure", 0), After("pass")] },
    Program { names: &["sendemail", "sendEmail"], places: &[After("-xp")] },
    Program { names: &[".logon", ".LOGON"], places: &[AfterSign("", ',')] },
    Program { names: &["ssh-keygen"], places: &[After("-N"), After("-P")] },
    Program { names: &["plink", "pscp", "psftp", "putty"], places: &[After("-pw")] },
    Program { names: &["snmpget", "snmpwalk", "snmpset", "snmpgetnext", "snmpbulkwalk", "snmpbulkget", "snmptrap"], places: &[After("-c"), After("-A"), After("-X")] },
    Program { names: &["smbclient", "rpcclient", "winexe", "wmic", "smbget"], places: &[AfterSign("-U", '%')] },
    Program { names: &["lftp", "ncftp"], places: &[AfterSign("-u", ',')] },
    Program { names: &["signtool"], places: &[After("/p")] },
    Program { names: &["xfreerdp", "rdesktop", "wfreerdp"], places: &[Prefix("/p:"), After("-p")] },
    Program { names: &["sqlplus", "sqlldr", "expdp", "impdp"], places: &[Oracle, Login] },
    Program { names: &["imp", "exp", "rman", "sql", "sqlcl", "conn", "CONN"], places: &[Oracle] },
    Program { names: &["connect", "CONNECT"], places: &[Oracle, AfterUser("using"), AfterUser("USING")] },
    Program { names: &["steamcmd"], places: &[Positional("+login", 1)] },
    Program { names: &["rabbitmqctl"], places: &[Positional("add_user", 1), Positional("change_password", 1), Positional("authenticate_user", 1)] },
    Program { names: &["vault"], places: &[Positional("unseal", LAST), Positional("login", 0)] },
    Program { names: &["htpasswd"], places: &[Positional("-b", 2), Positional("-bc", 2), Positional("-cb", 2), Positional("-nb", 1), Positional("-bn", 1), Positional("-nbB", 1), Positional("-Bbn", 1), Positional("-bB", 2), Positional("-bnBC", 2)] },
    Program { names: &["net"], places: &[Positional("use", LAST), Positional("user", 1), AfterSign("-U", '%')] },
    Program { names: &["winrs"], places: &[Prefix("-p:"), Prefix("/p:")] },
    Program { names: &["rasdial"], places: &[Positional(ANY, 2)] },
    Program { names: &["qpdf"], places: &[Positional("--encrypt", 0), Positional("--encrypt", 1)] },
    Program { names: &["keytool"], places: &[After("-new")] },
    Program { names: &["ansible-vault"], places: &[Positional("encrypt_string", 0)] },
    Program { names: &["etcdctl"], places: &[AfterColon("--user")] },
    Program { names: &["composer", "poetry"], places: &[Positional("http-basic.", 1)] },
    Program { names: &["sentinel", "SENTINEL"], places: &[Positional("auth-pass", 1)] },
    Program { names: &["MIGRATE"], places: &[After("AUTH"), Positional("AUTH2", 1)] },
    Program { names: &["vrrp"], places: &[After("text"), After("key-string")] },
    Program { names: &["snmp-agent"], places: &[After("cipher")] },
    Program { names: &["pre-shared-key", "pre-shared-secret", "key-string", "message-digest-key", "authentication-key", "set-key", "wpa-psk", "psksecret", "shared-secret", "IPSec secret"], places: &[Device] },
    Program { names: &["mkpasswd"], places: &[Positional("-m", 1)] },
    Program { names: &["kinit", "wpa_passphrase"], places: &[Positional("wpa_passphrase", 1)] },
    Program { names: &["oathtool"], places: &[Positional("-b", 0), Positional("--totp", 0)] },
    Program { names: &["schtasks"], places: &[After("/rp"), After("/RP"), After("/p"), After("/P")] },
    Program { names: &["mc"], places: &[Positional("set", 3), Positional("add", 3)] },
    Program { names: &["com2sec", "com2sec6"], places: &[Positional(ANY, 2)] },
    Program { names: &["trapsink", "trap2sink", "informsink"], places: &[Positional(ANY, 1)] },
    Program { names: &["createUser"], places: &[After("SHA"), After("MD5"), After("SHA-224"), After("SHA-256"), After("SHA-384"), After("SHA-512"), After("AES"), After("DES"), After("AES-128"), After("AES-256")] },
    Program { names: &["snmp-server"], places: &[Positional("2c", 0), Positional("1", 0), After("sha"), After("md5"), After("des"), After("128"), After("192"), After("256")] },
    Program { names: &["authentication-mode"], places: &[After("plain"), After("cipher"), After("simple")] },
    Program { names: &["cache_peer"], places: &[AfterColon("login")] },
    Program { names: &["nmcli"], places: &[After("password"), After("wifi-sec.psk"), After("802-11-wireless-security.psk")] },
    Program { names: &["kadmin", "kadmin.local", "addprinc", "ktpass"], places: &[After("-w"), After("-pw"), After("/pass"), After("-pass")] },
    Program { names: &["pdftk"], places: &[After("user_pw"), After("owner_pw"), After("input_pw")] },
    Program { names: &["swaks"], places: &[After("-ap")] },
    Program { names: &["beeline", "cypher-shell", "useradd", "usermod", "saslpasswd2", "netexec", "smbmap", "ncftpput", "ncftpget", "rabbitmqadmin", "twine", "certutil", "veracrypt", "openfortivpn", "hdbsql", "cbq", "couchbase-cli"], places: &[After("-p")] },
    Program { names: &["mosquitto_passwd"], places: &[Positional("-b", 2), Positional("-c", 2)] },
    Program { names: &["restic", "borg", "gpg"], places: &[After("--passphrase")] },
];

/// Calls with a password, and the index of the argument in quotes that is the password.
#[rustfmt::skip]
pub(super) const CALLS: &[(&str, usize)] = &[
    ("ftp_login(", 2), (".login(", 1), ("FTP(", 2), ("PDO->__construct(", 2), ("mysqli->__construct(", 2), ("->__construct('mysql:", 2), ("->__construct('pgsql:", 2),
    ("new PDO(", 2), ("new mysqli(", 2), ("mysqli_connect(", 2), ("mysql_connect(", 2), ("oci_connect(", 1), ("oci_pconnect(", 1), ("odbc_connect(", 2), ("imap_open(", 2), ("ssh2_auth_password(", 2),
    ("DBI->connect(", 2), ("DriverManager.getConnection(", 2), ("pymssql.connect(", 2), ("simple_bind(", 1), ("simple_bind_s(", 1), ("ldap_bind(", LAST),
    ("HTTPBasicAuth(", 1), ("HTTPDigestAuth(", 1), ("SetBasicAuth(", 1), (".basicAuth(", 1), (".basic_auth(", 1), ("auth=(", 1), ("auth': (", 1), ("auth\": (", 1),
    (".credentials(", 1), (".basicAuthentication(", 1), (".authentication(", 1), (".WithCredentials(", 1), (".WithAuth(", 1), ("->attempt(", 1), ("jedis.auth(", 0), ("pgp_sym_encrypt(", 1), ("pgp_sym_decrypt(", 1), ("AES_ENCRYPT(", 1), ("AES_DECRYPT(", 1), (" crypt(", 0), ("sp_addlinkedsrvlogin ", 4), (".auth(", 1),
    ("NetworkCredential]::new(", 1), ("NetworkCredential(", 1), ("NetworkCredential ", 1), (" Credentials(", 3), ("WiFi.begin(", 1), ("WiFi.softAP(", 1), ("AT+CWJAP=", 1), ("AT+CWSAP=", 1),
];
