//! The certificate of the API, read again when its files change: whoever renews it need not restart us.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::manifest::server::Tls;

/// When the files were changed last.
type Changed = [Option<SystemTime>; 2];

/// A certificate with its key.
pub(super) struct Certificate {
    files: Tls,
    current: Mutex<(Changed, TlsAcceptor)>,
}

impl Certificate {
    /// Reads the files.
    pub(super) fn read(files: &Tls) -> io::Result<Self> {
        let current = Mutex::new((changed(files), acceptor(files)?));
        Ok(Self { files: files.clone(), current })
    }

    /// For the next connection. Files that have changed and cannot be read leave the one that is there.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = changed(&self.files);
        if now != current.0 {
            current.0 = now;
            match acceptor(&self.files) {
                Ok(acceptor) => {
                    info!("the certificate of the HTTP API was read again");
                    current.1 = acceptor;
                }
                Err(error) => warn!("the changed certificate is not used: {error}"),
            }
        }
        current.1.clone()
    }
}

fn changed(files: &Tls) -> Changed {
    [&files.certificate, &files.key].map(|it| fs::metadata(it).and_then(|it| it.modified()).ok())
}

fn acceptor(files: &Tls) -> io::Result<TlsAcceptor> {
    let Tls { certificate, key } = files;
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain: Vec<_> = chain.map_err(|it| unusable(certificate, &it))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|it| unusable(key, &it))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|it| unusable(certificate, &it))?.with_no_client_auth();
    let mut config =
        config.with_single_cert(chain, private).map_err(|it| unusable(certificate, &it))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    let what = format!("{} cannot be used for TLS: {error}; see `server.tls`", path.display());
    io::Error::new(io::ErrorKind::InvalidData, what)
}
