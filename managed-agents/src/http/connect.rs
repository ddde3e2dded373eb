//! From an endpoint to a connection: name lookup, TCP, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::connection::Connection;
use super::endpoint::Endpoint;
use super::failure::{Failure, FailureKind};

/// How long one address is tried before the next is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// The trusted certificates of a client cannot be loaded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the trusted certificates cannot be loaded: {0}")]
pub(crate) struct TlsSetupError(String);

/// Connects to one origin.
pub(super) struct Connector {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    pub(super) fn new(endpoint: &Endpoint, roots: Option<&[u8]>) -> Result<Self, TlsSetupError> {
        let tls = if endpoint.is_encrypted() {
            let name = ServerName::try_from(endpoint.host().to_owned())
                .map_err(|_| TlsSetupError("the endpoint's host is no name that a certificate can hold".to_owned()))?;
            Some((TlsConnector::from(Arc::new(tls_config(roots)?)), name))
        } else {
            None
        };
        Ok(Self {
            host: endpoint.host().to_owned(),
            port: endpoint.port(),
            tls,
        })
    }

    pub(super) async fn connect(&self) -> Result<Box<Connection>, Failure> {
        let stream = first_to_connect(self.addresses().await?)
            .await
            .map_err(|error| Failure::new(FailureKind::Connect, format!("the connection failed: {error}")))?;
        // a request is one small write, and so is its answer: waiting for more to send only delays them
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => Connection::open(Box::new(stream)).await,
            Some((tls, name)) => {
                let stream = tls
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|error| Failure::tls(&error))?;
                Connection::open(Box::new(stream)).await
            }
        }
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let mut addresses: Vec<SocketAddr> = match self.host.parse::<IpAddr>() {
            Ok(address) => vec![(address, self.port).into()],
            Err(_) => lookup_host((self.host.as_str(), self.port))
                .await
                .map_err(|error| Failure::new(FailureKind::Lookup, format!("the name lookup failed: {error}")))?
                .collect(),
        };
        if self.tls.is_none() {
            // the key and the arguments go unencrypted only where they cannot leave this machine
            addresses.retain(|address| address.ip().is_loopback());
        }
        if addresses.is_empty() {
            return Err(Failure::new(FailureKind::Lookup, "the name has no admissible address"));
        }
        Ok(addresses)
    }
}

/// The first of several addresses to take a connection; each has a head start before the next.
async fn first_to_connect(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    if let [address] = addresses.as_slice() {
        return TcpStream::connect(address).await;
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    loop {
        let joined = match waiting.next() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
                match timeout(HEAD_START, attempts.join_next()).await {
                    Ok(joined) => joined,
                    Err(_) => continue,
                }
            }
            None => attempts.join_next().await,
        };
        match joined {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => last = error,
            Some(Err(_)) => {}
            // none is under way, and none waits: the arm above would have started it
            None => return Err(last),
        }
    }
}

/// TLS 1.2 and 1.3 with the platform's certificate authorities, or only the given ones. The cryptography is named here,
/// so that nothing is installed process-wide and nothing that is installed matters.
fn tls_config(roots: Option<&[u8]>) -> Result<ClientConfig, TlsSetupError> {
    let setup = |error: &dyn std::fmt::Display| TlsSetupError(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(&error))?;
    let mut config = match roots {
        Some(pem) => {
            let mut store = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                store
                    .add(certificate.map_err(|error| setup(&error))?)
                    .map_err(|error| setup(&error))?;
            }
            if store.is_empty() {
                return Err(TlsSetupError("no certificate in what was given".to_owned()));
            }
            builder.with_root_certificates(store).with_no_client_auth()
        }
        None => {
            let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(|error| setup(&error))?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
