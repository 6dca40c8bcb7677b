//! The programs and protocols whose credentials have no name, according to their manuals.

use Place::{After, AfterColon, AfterLogin, AfterSign, Attached, Oracle, Positional, Prefix};

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
    /// In an argument without an option, counted from 0 after a subcommand: `add_user bob X`.
    Positional(&'static str, usize),
    /// Between the slash and the `@` of Oracle's connections: `scott/X@db`.
    Oracle,
}

/// A program, and where its credentials are.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) names: &'static [&'static str],
    pub(super) places: &'static [Place],
}

/// The last argument.
pub(super) const LAST: usize = usize::MAX;

/// The programs and the places of their credentials.
#[rustfmt::skip]
pub(super) const PROGRAMS: &[Program] = &[
    Program { names: &["mysql", "mysqladmin", "mysqldump", "mysqlimport", "mysqlcheck", "mysqlpump", "mysqlsh", "mysqlshow", "mysqlslap", "mysqlbinlog", "mariadb", "mariadb-admin", "mariadb-dump", "mycli", "xtrabackup", "mariabackup", "mydumper"], places: &[Attached("-p")] },
    Program { names: &["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat", "cqlsh", "influx", "evil-winrm", "hydra", "nxc", "crackmapexec", "sshpass", "impdp"], places: &[After("-p"), Attached("-p"), Oracle] },
    Program { names: &["curl", "http", "https", "xh", "ab", "siege", "hey", "wrk"], places: &[AfterColon("-u"), AfterColon("--user"), AfterColon("-U"), AfterColon("--proxy-user"), AfterColon("-a"), AfterColon("--auth"), AfterColon("-A"), AfterColon("-P")] },
    Program { names: &["docker", "podman", "nerdctl", "buildah", "helm", "oras", "crane", "regctl"], places: &[AfterLogin("-p"), Attached("--password=")] },
    Program { names: &["skopeo"], places: &[AfterColon("--creds"), AfterColon("--src-creds"), AfterColon("--dest-creds")] },
    Program { names: &["az"], places: &[After("-p")] },
    Program { names: &["openssl"], places: &[Prefix("pass:"), After("-k"), After("-K")] },
    Program { names: &["redis-cli", "valkey-cli", "keydb-cli"], places: &[After("-a")] },
    Program { names: &["sqlcmd", "bcp", "isql", "osql", "tsql", "ipmitool", "mosquitto_pub", "mosquitto_sub", "zip", "unzip", "ncat"], places: &[After("-P"), Attached("-P")] },
    Program { names: &["7z", "7za", "rar", "unrar"], places: &[Attached("-p")] },
    Program { names: &["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldappasswd", "ldapcompare"], places: &[After("-w"), After("-s")] },
    Program { names: &["ssh-keygen"], places: &[After("-N"), After("-P")] },
    Program { names: &["plink", "pscp", "psftp", "putty"], places: &[After("-pw")] },
    Program { names: &["snmpget", "snmpwalk", "snmpset", "snmpgetnext", "snmpbulkwalk", "snmpbulkget", "snmptrap"], places: &[After("-c"), After("-A"), After("-X")] },
    Program { names: &["smbclient", "rpcclient", "winexe", "wmic", "smbget"], places: &[AfterSign("-U", '%')] },
    Program { names: &["lftp", "ncftp"], places: &[AfterSign("-u", ',')] },
    Program { names: &["signtool"], places: &[After("/p")] },
    Program { names: &["xfreerdp", "rdesktop", "wfreerdp"], places: &[Prefix("/p:"), After("-p")] },
    Program { names: &["sqlplus", "sqlldr", "expdp", "imp", "exp", "rman", "connect", "CONNECT", "sql"], places: &[Oracle] },
    Program { names: &["steamcmd"], places: &[Positional("+login", 1)] },
    Program { names: &["rabbitmqctl"], places: &[Positional("add_user", 1), Positional("change_password", 1), Positional("authenticate_user", 1)] },
    Program { names: &["vault"], places: &[Positional("unseal", LAST), Positional("login", 0)] },
    Program { names: &["htpasswd"], places: &[Positional("-b", 2), Positional("-bc", 2), Positional("-cb", 2), Positional("-nb", 1), Positional("-bn", 1), Positional("-nbB", 1), Positional("-Bbn", 1), Positional("-bB", 2)] },
    Program { names: &["net"], places: &[Positional("use", 2), Positional("user", 1)] },
    Program { names: &["mkpasswd"], places: &[Positional("-m", 1)] },
    Program { names: &["kinit", "wpa_passphrase"], places: &[Positional("wpa_passphrase", 1)] },
    Program { names: &["oathtool"], places: &[Positional("-b", 0), Positional("--totp", 0)] },
    Program { names: &["restic", "borg", "gpg"], places: &[After("--passphrase")] },
];

/// Texts of protocols before a credential.
pub(super) const PROTOCOLS: &[&str] = &[
    " LOGIN ",
    "AUTH ",
    "AUTH\r\n",
    "AUTH\\r\\n",
    "\"AUTH\" ",
    "PASS ",
    "+CPIN=",
    "sudo -S",
    "chpasswd",
    "requirepass\" ",
    "oracle:thin:",
    "response=\"",
    "\"kty\"",
    "WIFI:",
    "PDO->__construct(",
    "mysqli->__construct(",
    "simple_bind_s(",
    "ldap_bind(",
    "| ConvertTo-SecureString",
    "ConvertTo-SecureString ",
];
