//! A server with TLS, and certificates for it.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sterna::pg::{ConnInfo, Connection, connect};

/// Who may log in, and how: each role shows one rule.
const HBA: &str = "\
local   all all           trust
hostssl all tls_only      127.0.0.1/32 trust
hostnossl all plain_only  127.0.0.1/32 trust
hostssl all with_key      127.0.0.1/32 cert
host    all with_password 127.0.0.1/32 scram-sha-256
host    all postgres      127.0.0.1/32 trust
";

const ROLES: &str = "
CREATE ROLE tls_only LOGIN;
CREATE ROLE plain_only LOGIN;
CREATE ROLE with_key LOGIN;
CREATE ROLE with_password LOGIN PASSWORD 'tern:and\\terek';
";

/// The password of the role `with_password`, with characters that a password file must escape.
pub(super) const PASSWORD: &str = r"tern:and\terek";

/// How a server is set up.
pub(crate) struct Setup<'a> {
    pub(crate) superuser: &'a str,
    /// The text of `pg_hba.conf`. The superuser must get in through the socket.
    pub(crate) hba: &'a str,
    pub(crate) tls: bool,
    /// Further settings.
    pub(crate) settings: &'a [&'a str],
}

/// Certificates, and the folder with their files.
pub(crate) struct Certificates {
    folder: PathBuf,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    /// An authority (`root.crt`) and a server certificate for `localhost` alone.
    fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let certificates = Certificates { folder: folder.to_owned(), authority };
        certificates.write("root.crt", &certificates.authority.pem());
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        certificates.issue("server", params);
        certificates
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// `<name>.crt` and `<name>.key`, signed by the authority.
    pub(super) fn issue(&self, name: &str, params: CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        self.write(&format!("{name}.crt"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    /// `<name>.crt` and `<name>.key`, self-signed.
    pub(super) fn issue_self_signed(&self, name: &str, params: &CertificateParams) {
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.crt"), &params.self_signed(&key).unwrap().pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

/// A running server, stopped when dropped.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    child: Child,
    superuser: String,
    pub(crate) port: u16,
    pub(super) certificates: Certificates,
}

impl Server {
    /// A server with or without TLS, and a role for each rule.
    pub(super) async fn start(tls: bool) -> Self {
        let setup = Setup { superuser: "postgres", hba: HBA, tls, settings: &[] };
        let server = Server::with(&setup);
        server.ready().await.batch_execute(ROLES).await.unwrap();
        server
    }

    /// A server on 127.0.0.1, and a socket for set-up.
    pub(crate) fn with(setup: &Setup<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::new(folder.path());
        own(folder.path());
        let data = folder.path().join("data");
        let output = program("initdb")
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "-U", setup.superuser, "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(data.join("pg_hba.conf"), setup.hba).unwrap();

        let port = free_port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let child = program("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k", &folder.path().display().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(setup.settings.iter().flat_map(|setting| ["-c", setting]))
            .args(["-c", if setup.tls { "ssl=on" } else { "ssl=off" }])
            .args(["-c", &format!("ssl_cert_file={}", at("server.crt"))])
            .args(["-c", &format!("ssl_key_file={}", at("server.key"))])
            .args(["-c", &format!("ssl_ca_file={}", at("root.crt"))])
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Server { folder, child, superuser: setup.superuser.to_owned(), port, certificates }
    }

    /// The administrator's session, through the socket.
    pub(crate) async fn ready(&self) -> Connection {
        let user = &self.superuser;
        let info = ConnInfo::unix_socket(self.folder.path(), self.port, user, "postgres");
        let started = Instant::now();
        loop {
            match connect(&info).await {
                Ok(connection) => return connection,
                Err(error) => {
                    let log = std::fs::read_to_string(self.file("log")).unwrap_or_default();
                    assert!(started.elapsed() < Duration::from_secs(30), "{error}\n{log}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Replaces the server's certificate and key.
    pub(super) async fn show_certificate(&self, name: &str) {
        for extension in ["crt", "key"] {
            let file = self.file(&format!("server.{extension}"));
            std::fs::copy(self.file(&format!("{name}.{extension}")), file).unwrap();
        }
        let admin = self.ready().await;
        let before = admin.query_one("SELECT pg_conf_load_time()", &[]).await.unwrap();
        let before: std::time::SystemTime = before.get(0);
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        loop {
            // A new session: the reload reaches old sessions later than new ones.
            let row =
                self.ready().await.query_one("SELECT pg_conf_load_time()", &[]).await.unwrap();
            if row.get::<_, std::time::SystemTime>(0) > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The path of a file in the server's folder, which also serves as a home.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only its owner may read.
    pub(super) fn write(&self, name: &str, text: &str) {
        self.certificates.write(name, text);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        // Fast shutdown: open sessions are ended.
        kill(pid, Signal::SIGINT).unwrap();
        self.child.wait().unwrap();
    }
}

/// The account that runs the server, which refuses to run as root.
fn account() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("postgres").unwrap().expect("a user postgres"))
}

/// Gives a folder and its files to that account.
pub(crate) fn own(folder: &Path) {
    let Some(user) = account() else { return };
    let give = |path: &Path| chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    give(folder);
    for entry in std::fs::read_dir(folder).unwrap() {
        give(&entry.unwrap().path());
    }
}

fn program(name: &str) -> Command {
    as_account(&sterna::pg::programs::find().unwrap().join(name))
}

/// A program that runs as that account.
pub(crate) fn as_account(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    // The machine's own settings must not reach this server.
    let foreign = |name: &OsStr| name.to_string_lossy().starts_with("PG");
    for (variable, _) in std::env::vars_os().filter(|(name, _)| foreign(name)) {
        command.env_remove(variable);
    }
    if let Some(user) = account() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
