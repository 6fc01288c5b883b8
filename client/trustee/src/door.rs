//! Accepting connections, with TLS or without. Each holds a permit from before its handshake to its end, and
//! none may be silent for long, so that those who only take room lose it again.

use hyper::{
    body::Incoming,
    header::{HeaderValue, CONNECTION},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::{
    core::BoxError,
    server::{HttpRequest, HttpResponse, StopHandle},
};
use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceBuilder};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 10 });
/// How long a connection may be silent before a request: the first, and each that follows.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 10 });
/// How long a request may go on when the daemon stops.
const LAST_REQUEST_TIMEOUT: Duration = Duration::from_secs(40);
/// The pause after the system had no connection to give, because it has too many files open.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a request that are held before they are taken on.
const BUFFER: usize = 64 * 1_024;

/// Accepts connections until it is told to stop, and serves HTTP/1.1 on each; those beyond `most` at a time are
/// closed at once. While more than half of them are taken, a connection ends with its answer.
pub async fn open<S>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    most: usize,
    service: S,
    stop: StopHandle,
) where
    S: Service<HttpRequest<Incoming>, Response = HttpResponse, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    let permits = Arc::new(Semaphore::new(most));
    let free = permits.clone();
    let service = ServiceBuilder::new()
        .map_response(move |mut response: HttpResponse| {
            if free.available_permits() < most / 2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        })
        .service(service);
    let mut stopped = pin!(stop.clone().shutdown());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => return,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "no connection was accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = permits.clone().try_acquire_owned() else { continue };
        let (tls, service, stop) = (tls.clone(), service.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, tls, service, stop).await {
                tracing::debug!(error, "a connection ended early");
            }
            drop(permit);
        });
    }
}

async fn connection<S>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    service: S,
    stop: StopHandle,
) -> Result<(), BoxError>
where
    S: Service<HttpRequest<Incoming>, Response = HttpResponse, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return requests(stream, service, stop.shutdown()).await };
    let stream = tokio::select! {
        accepted = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)) => accepted.map_err(io::Error::from)??,
        () = stop.clone().shutdown() => return Ok(()),
    };
    requests(stream, service, stop.shutdown()).await
}

/// Answers the requests of one connection, one after the other.
async fn requests<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: S,
    stopped: impl Future<Output = ()>,
) -> Result<(), BoxError>
where
    S: Service<HttpRequest<Incoming>, Response = HttpResponse, Error = BoxError> + Clone,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIMEOUT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => outcome?,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_REQUEST_TIMEOUT, connection).await??;
        }
    }
    Ok(())
}
