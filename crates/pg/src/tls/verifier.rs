//! Verifies the server's certificate as libpq's sslmodes do, with rustls.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// How much of the certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Nothing: any server is accepted.
    Nothing,
    /// It chains to a trusted root and is valid now.
    Chain,
    /// As `Chain`, and it names the host.
    ChainAndName,
}

/// The verifier. At every depth the handshake's signature is verified, which proves that
/// the server holds the key of its certificate.
#[derive(Debug)]
pub(super) struct ServerCheck {
    depth: Depth,
    /// The full trusted certificates; `roots` keeps only their names and keys.
    trusted: Vec<CertificateDer<'static>>,
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCheck {
    /// A verifier that trusts certificates signed by these.
    ///
    /// Certificates that rustls cannot read are skipped, because the system's store and
    /// bundles may contain some in an older format.
    pub(super) fn new(
        depth: Depth,
        trusted: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let (_, unreadable) = roots.add_parsable_certificates(trusted.iter().cloned());
        if unreadable > 0 {
            tracing::debug!(unreadable, "root certificates skipped");
        }
        ServerCheck { depth, trusted, roots, algorithms }
    }

    fn verify_chain(
        &self,
        shown: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let verdict = verify_server_cert_signed_by_trust_anchor(
            parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        );
        match verdict {
            // A self-signed certificate made by `openssl req -x509` is marked as a
            // certificate authority, which webpki refuses for a server. libpq accepts it
            // if the user trusts exactly this certificate. webpki checks the validity
            // period first and reports it as a separate error.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.trusted.iter().any(|trusted| trusted == shown) =>
            {
                Ok(())
            }
            verdict => verdict,
        }
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.depth != Depth::Nothing {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            self.verify_chain(end_entity, &parsed, intermediates, now)?;
            if self.depth == Depth::ChainAndName {
                verify_server_name(&parsed, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{CertifiedKey as Generated, KeyPair, generate_simple_self_signed};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};

    use super::*;

    /// A handshake in memory with a server that shows a certificate and signs with `key`.
    fn handshake(
        check: ServerCheck,
        certificate: &CertificateDer<'static>,
        key: &KeyPair,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Result<(), rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = provider.key_provider.load_private_key(key)?;
        // Unlike the usual way, this does not check that certificate and key match.
        let shown = SingleCertAndKey::from(CertifiedKey::new(vec![certificate.clone()], key));
        let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check))
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(client), name)?;
        let mut server = rustls::ServerConnection::new(Arc::new(server))?;
        while client.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    fn check(depth: Depth, trusted: &[CertificateDer<'static>]) -> ServerCheck {
        let provider = rustls::crypto::ring::default_provider();
        ServerCheck::new(depth, trusted.to_vec(), provider.signature_verification_algorithms)
    }

    #[test]
    fn a_certificate_without_its_key_is_refused_at_every_depth() {
        let Generated { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let thief = KeyPair::generate().unwrap();
        let certificate = cert.der().clone();
        let trusted = std::slice::from_ref(&certificate);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            for depth in [Depth::Nothing, Depth::Chain, Depth::ChainAndName] {
                let shown = |key| handshake(check(depth, trusted), &certificate, key, version);
                assert_eq!(shown(&signing_key), Ok(()), "{depth:?} {version:?}");
                let expected = rustls::Error::InvalidCertificate(CertificateError::BadSignature);
                assert_eq!(shown(&thief), Err(expected), "{depth:?} {version:?}");
            }
        }
    }
}
