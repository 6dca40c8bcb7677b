//! Payments, commerce and finance.

use super::{Body, TokenRule, at_least, between, exactly, near, near_between, token};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("stripe-key", "a Stripe secret key, restricted key, webhook secret or client secret",
        "Stripe documentation, API keys; gitleaks `stripe-access-token`; trufflehog `stripepaymentintent`", &[
            at_least("sk_live_", Body::Base64Url, 16), at_least("sk_test_", Body::Base64Url, 16),
            at_least("sk_prod_", Body::Alphanumeric, 16),
            at_least("rk_live_", Body::Alphanumeric, 16),
            at_least("rk_test_", Body::Alphanumeric, 16),
            at_least("rk_prod_", Body::Alphanumeric, 16),
            at_least("sk_org_live_", Body::Alphanumeric, 16),
            at_least("sk_org_test_", Body::Alphanumeric, 16),
            at_least("whsec_", Body::Base64, 24), between("pi_", Body::Word, 50, 80),
            between("seti_", Body::Word, 50, 80), between("src_", Body::Word, 50, 80),
            at_least("cs_live_", Body::Word, 50), at_least("cs_test_", Body::Word, 50),
            at_least("ek_live_", Body::Word, 20), at_least("ek_test_", Body::Word, 20),
    ]),
    token("paypal-token", "a PayPal or Braintree access token",
        "Braintree documentation; detect-secrets; trufflehog `paypaloauth`", &[
            at_least("access_token$production$", Body::Crypt, 40),
            at_least("access_token$sandbox$", Body::Crypt, 40),
            at_least("A21AA", Body::Base64Url, 60), at_least("A23AA", Body::Base64Url, 60),
            near(&["paypal"], Body::Base64Url, 80), near(&["braintree"], Body::LowerHex, 32),
    ]),
    token("square-token", "a Square token or secret",
        "Square documentation, access tokens; gitleaks `square-access-token`", &[
            at_least("sq0atp-", Body::Base64Url, 22), at_least("sq0csp-", Body::Base64Url, 43),
            at_least("sandbox-sq0atb-", Body::Base64Url, 22),
            at_least("sandbox-sq0csb-", Body::Base64Url, 40),
            exactly("EAAA", Body::Base64Url, 60), exactly("EAAl", Body::Base64Url, 60),
    ]),
    token("shopify-token", "a Shopify token",
        "Shopify documentation, access tokens; gitleaks `shopify-access-token`", &[
            between("shpat_", Body::Hex, 30, 34), between("shpca_", Body::Hex, 30, 34),
            between("shppa_", Body::Hex, 30, 34), between("shpss_", Body::Hex, 30, 34),
            between("shptka_", Body::Hex, 30, 34), between("shpua_", Body::Hex, 30, 34),
            at_least("shpit_", Body::Word, 20), at_least("shprt_", Body::Word, 20),
            between("shpsa_", Body::Hex, 30, 34), at_least("shpcd_", Body::Word, 20),
            exactly("prtapi_", Body::Hex, 32), at_least("atkn_", Body::Base64Url, 40),
    ]),
    token("adyen-key", "an Adyen API key",
        "Adyen documentation, API credentials; GitHub secret scanning", &[
            at_least("AQE", Body::DottedToken, 80),
    ]),
    token("mollie-key", "a Mollie, Lob or MessageBird key: `live_…` or `test_…`",
        "the providers' documentation; gitleaks `lob-api-key`", &[
            between("live_", Body::Alphanumeric, 25, 50),
            exactly("test_", Body::Alphanumeric, 30), exactly("live_", Body::Base64Url, 40),
            exactly("test_", Body::LowerHex, 35), between("access_", Body::Alphanumeric, 25, 50),
            exactly("live_pub_", Body::LowerHex, 31),
    ]),
    token("gocardless-token", "a GoCardless access token",
        "GoCardless documentation; gitleaks `gocardless-api-token`", &[
            exactly("sandbox_", Body::Base64Url, 40),
            near_between(&["gocardless"], Body::Base64Url, 40, 48),
    ]),
    token("checkout-key", "a Checkout.com secret key",
        "Checkout.com documentation, API keys; GitHub secret scanning", &[
            at_least("sk_sbox_", Body::LowerNum, 25), exactly("sk_", Body::LowerNum, 27),
            exactly("sk_", Body::HexDash, 36), exactly("sk_test_", Body::HexDash, 36),
    ]),
    token("plaid-key", "a Plaid secret or access token",
        "Plaid documentation; gitleaks `plaid-secret-key`", &[
            exactly("access-sandbox-", Body::HexDash, 36),
            exactly("access-production-", Body::HexDash, 36),
            exactly("access-development-", Body::HexDash, 36),
            exactly("public-production-", Body::HexDash, 36),
            near(&["plaid"], Body::LowerHex, 30),
    ]),
    token("paystack-key", "a Paystack secret key",
        "Paystack documentation; trufflehog `paystack`", &[
            exactly("sk_live_", Body::LowerHex, 40),
    ]),
    token("flutterwave-key", "a Flutterwave secret or encryption key",
        "Flutterwave documentation; gitleaks `flutterwave-secret-key`", &[
            at_least("FLWSECK_TEST-", Body::Base64Url, 12),
            exactly("FLWSECK_TEST", Body::LowerHex, 12),
            at_least("FLWSECK-", Body::Base64Url, 12), exactly("FLWSECK", Body::LowerHex, 12),
    ]),
    token("razorpay-key", "a Razorpay key",
        "Razorpay documentation, API keys; trufflehog `razorpay`", &[
            at_least("rzp_live_", Body::Alphanumeric, 14),
            at_least("rzp_test_", Body::Alphanumeric, 14),
            near(&["razorpay"], Body::Alphanumeric, 24),
    ]),
    token("paytm-key", "a Paytm, PhonePe or Cashfree key",
        "the providers' documentation; GitHub secret scanning", &[
            at_least("cfsk_ma_", Body::Word, 30), exactly("TEST", Body::LowerHex, 35),
            near(&["paytm"], Body::Alphanumeric, 16), near(&["cashfree"], Body::LowerHex, 40),
    ]),
    token("midtrans-key", "a Midtrans server key",
        "Midtrans documentation; GitHub secret scanning", &[
            at_least("SB-Mid-server-", Body::Base64Url, 16),
            at_least("Mid-server-", Body::Base64Url, 16),
    ]),
    token("xendit-key", "a Xendit secret key",
        "Xendit documentation, API keys", &[
            at_least("xnd_development_", Body::Alphanumeric, 30),
            at_least("xnd_production_", Body::Alphanumeric, 30),
    ]),
    token("mercadopago-token", "a Mercado Pago access token",
        "Mercado Pago documentation; GitHub secret scanning", &[
            at_least("APP_USR-", Body::Base64Url, 50), at_least("TEST-", Body::Base64Url, 60),
    ]),
    token("pagarme-key", "a Pagar.me key",
        "Pagar.me documentation; trufflehog `pagarme`", &[
            exactly("ak_live_", Body::Alphanumeric, 30),
            exactly("ak_test_", Body::Alphanumeric, 30), exactly("sk_", Body::Alphanumeric, 16),
    ]),
    token("asaas-token", "an Asaas API key",
        "Asaas documentation; GitHub secret scanning", &[
            at_least("$aact_", Body::Url, 40), at_least("aact_", Body::Url, 40),
    ]),
    token("iugu-token", "an Iugu, Ebanx or Conekta key",
        "the providers' documentation; GitHub secret scanning", &[
            between("key_", Body::Alphanumeric, 22, 24), near(&["iugu"], Body::UpperNum, 64),
            near(&["ebanx"], Body::LowerHex, 60),
    ]),
    token("mercury-token", "a Mercury API token, or another token with the scheme `secret-token:`",
        "Mercury documentation; RFC 8959", &[
            at_least("secret-token:", Body::DottedToken, 20),
    ]),
    token("ramp-secret", "a Ramp client secret",
        "Ramp documentation; trufflehog `ramp`", &[
            at_least("ramp_sec_", Body::Alphanumeric, 40),
            at_least("ramp_business_tok_", Body::Word, 30), at_least("ramp_tok_", Body::Word, 30),
    ]),
    token("brex-token", "a Brex token",
        "Brex documentation", &[
            at_least("bxt_", Body::Alphanumeric, 30), at_least("bxo_", Body::Alphanumeric, 30),
    ]),
    token("wise-token", "a Wise API token",
        "Wise documentation; trufflehog `transferwise`", &[
            near(&["wise", "transferwise"], Body::HexDash, 36),
    ]),
    token("revolut-key", "a Revolut API key",
        "Revolut Merchant API, authentication", &[
            exactly("sk_", Body::Base64Url, 80), at_least("oa_prod_", Body::Base64Url, 40),
            at_least("oa_sand_", Body::Base64Url, 40),
    ]),
    token("klarna-key", "a Klarna API key",
        "Klarna documentation, API credentials", &[
            at_least("klarna_live_api_", Body::Token, 20),
            at_least("klarna_test_api_", Body::Token, 20),
    ]),
    token("lemonsqueezy-key", "a Paddle, Lemon Squeezy or Polar key",
        "the providers' documentation; GitHub secret scanning", &[
            at_least("pdl_live_apikey_", Body::Word, 30),
            at_least("pdl_sdbx_apikey_", Body::Word, 30), at_least("pdl_ntfset_", Body::Word, 30),
            at_least("polar_oat_", Body::Alphanumeric, 30),
            at_least("polar_pat_", Body::Alphanumeric, 30), at_least("polar_at_", Body::Word, 30),
            at_least("polar_rt_", Body::Word, 30), at_least("polar_whs_", Body::Alphanumeric, 20),
            at_least("polar_cs_", Body::Word, 20), near(&["paddle"], Body::LowerHex, 50),
    ]),
    token("chargebee-key", "a Chargebee, Recurly or Maxio key",
        "the providers' documentation; GitHub secret scanning", &[
            between("live_", Body::Word, 30, 60), near(&["recurly"], Body::LowerHex, 32),
            near_between(&["chargify", "maxio"], Body::Alphanumeric, 40, 44),
    ]),
    token("dwolla-key", "a Dwolla key",
        "Dwolla documentation; trufflehog `dwolla`", &[
            near(&["dwolla"], Body::Alphanumeric, 50),
    ]),
    token("finicity-key", "a Finicity key",
        "Mastercard Open Banking documentation; gitleaks `finicity-api-token`", &[
            near(&["finicity"], Body::LowerHex, 32), near(&["finicity"], Body::Alphanumeric, 20),
    ]),
    token("column-key", "a Column, Increase or Unit key",
        "the providers' documentation; trufflehog `column`", &[
            exactly("live_", Body::Alphanumeric, 27),
            at_least("secret_key_", Body::Alphanumeric, 20),
            at_least("sandbox_key_", Body::Alphanumeric, 20),
            at_least("v2.public.", Body::Base64Url, 100),
    ]),
    token("taxjar-token", "a TaxJar token",
        "TaxJar documentation; trufflehog `taxjar`", &[
            near(&["taxjar"], Body::LowerHex, 32),
    ]),
    token("lob-key", "a Lob API key beside its name",
        "Lob documentation; trufflehog `lob`", &[
            near(&["lob"], Body::Word, 40),
    ]),
    token("easypost-key", "an EasyPost key",
        "EasyPost documentation; gitleaks `easypost-api-token`", &[
            exactly("EZAK", Body::Alphanumeric, 54), exactly("EZTK", Body::Alphanumeric, 54),
    ]),
    token("shippo-token", "a Shippo token",
        "Shippo documentation; gitleaks `shippo-api-token`", &[
            exactly("shippo_live_", Body::Hex, 40), exactly("shippo_test_", Body::Hex, 40),
    ]),
    token("shipstation-key", "a ShipEngine or ShipStation key",
        "ShipEngine documentation", &[
            exactly("TEST_", Body::Base64Url, 43),
            near_between(&["shipengine", "shipstation"], Body::Token, 32, 43),
    ]),
    token("flexport-token", "a Flexport token",
        "Flexport documentation; trufflehog `flexport`", &[
            exactly("shltm_", Body::Base64Url, 40),
    ]),
    token("duffel-token", "a Duffel token",
        "Duffel documentation; gitleaks `duffel-api-token`", &[
            at_least("duffel_test_", Body::Token, 40), at_least("duffel_live_", Body::Token, 40),
    ]),
    token("coinbase-key", "a Coinbase key",
        "Coinbase documentation; gitleaks `coinbase-access-token`", &[
            near(&["coinbase"], Body::Base64Url, 64), near(&["coinbase"], Body::Base64, 88),
            near(&["coinbase"], Body::Alphanumeric, 32),
    ]),
    token("binance-key", "a Binance API key or secret",
        "Binance API, keys", &[
            near(&["binance"], Body::Alphanumeric, 64),
    ]),
    token("kraken-key", "a Kraken API key or private key",
        "Kraken API; gitleaks `kraken-access-token`", &[
            near_between(&["kraken"], Body::Token, 80, 90), near(&["kraken"], Body::Base64, 56),
    ]),
    token("kucoin-key", "a KuCoin key",
        "KuCoin API; gitleaks `kucoin-secret-key`", &[
            near(&["kucoin"], Body::LowerHex, 24), near(&["kucoin"], Body::HexDash, 36),
    ]),
    token("bitfinex-key", "a Bitfinex, Bybit, OKX or Gate key",
        "the exchanges' API documentation; trufflehog `bitfinex`", &[
            near(&["bitfinex"], Body::Base64Url, 43), near(&["bybit"], Body::Alphanumeric, 36),
            near(&["okx"], Body::UpperNum, 32), near(&["gateio"], Body::LowerHex, 64),
            near(&["bitmex"], Body::Base64Url, 48), near(&["bittrex"], Body::LowerHex, 32),
            near(&["poloniex"], Body::LowerHex, 128), near(&["bitstamp"], Body::Alphanumeric, 32),
            near_between(&["huobi", "htx"], Body::UpperNumDash, 35, 36),
    ]),
    token("alpaca-key", "an Alpaca Markets key",
        "Alpaca documentation, API keys", &[
            near_between(&["alpaca", "apca"], Body::Alphanumeric, 40, 44),
            near(&["alpaca", "apca"], Body::UpperNum, 20),
    ]),
    token("robinhood-key", "a Robinhood crypto API key",
        "Robinhood Crypto API; trufflehog `robinhoodcrypto`", &[
            exactly("rh-api-", Body::HexDash, 36),
    ]),
    token("etsy-key", "an Etsy key",
        "Etsy Open API; gitleaks `etsy-access-token`", &[
            near(&["etsy"], Body::LowerNum, 24),
    ]),
    token("ebay-token", "an eBay client secret or token",
        "eBay developers programme, OAuth credentials", &[
            between("PRD-", Body::HexDash, 30, 50), between("SBX-", Body::HexDash, 30, 50),
            at_least("v^1.1#", Body::Url, 100),
    ]),
    token("bigcommerce-token", "a BigCommerce token",
        "BigCommerce documentation", &[
            near(&["bigcommerce"], Body::LowerNum, 31),
    ]),
    token("woocommerce-key", "a WooCommerce consumer key or secret",
        "WooCommerce REST API, authentication", &[
            exactly("ck_", Body::LowerHex, 40), exactly("cs_", Body::LowerHex, 40),
    ]),
    token("snipcart-key", "a Snipcart key",
        "Snipcart documentation; trufflehog `snipcart`", &[
            between("ST_", Body::Word, 70, 80), between("S_", Body::Word, 70, 80),
    ]),
    token("commercejs-key", "a Commerce.js or Swell key",
        "the providers' documentation", &[
            near(&["commercejs"], Body::Word, 48), near(&["swell"], Body::Alphanumeric, 32),
    ]),
    token("settlemint-token", "a SettleMint token",
        "SettleMint documentation; gitleaks `settlemint-personal-access-token`", &[
            at_least("sm_aat_", Body::Alphanumeric, 16),
            at_least("sm_pat_", Body::Alphanumeric, 16),
            at_least("sm_sat_", Body::Alphanumeric, 16),
    ]),
    token("alchemy-key", "an Alchemy, Infura, QuickNode or Moralis key",
        "the providers' documentation; trufflehog `alchemy`", &[
            exactly("alcht_", Body::Alphanumeric, 30), at_least("alch_", Body::Word, 30),
            near(&["alchemy"], Body::Base64Url, 32), near(&["infura"], Body::LowerHex, 32),
            near(&["quicknode"], Body::LowerHex, 40), near(&["moralis"], Body::Alphanumeric, 64),
            near(&["etherscan", "bscscan", "polygonscan"], Body::UpperNum, 34),
    ]),
];
