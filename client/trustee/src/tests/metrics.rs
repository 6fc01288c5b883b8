//! Monitoring: how calls end is counted, and served over HTTP to whoever may ask.

use prometheus_endpoint::{init_prometheus, Registry};
use psephos_client::trustee_api::refusal_to_error;
use psephos_protocol::refusal::Refusal;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    metrics::Metrics,
    rpc::{unavailable, UNAVAILABLE},
};

async fn page(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: trustee\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

#[tokio::test]
async fn outcomes_are_counted_and_served() {
    let registry = Registry::new();
    let metrics = Metrics::register(&registry).unwrap();
    metrics.answered("deposit", &Ok(()));
    metrics.answered("deposit", &Ok(()));
    metrics.answered::<()>("deposit", &Err(refusal_to_error(Refusal::Quota, "credential 5c8e")));
    let busy = unavailable("busy".into());
    assert_eq!(busy.code(), UNAVAILABLE);
    metrics.answered::<()>("ask", &Err(busy));
    metrics.followed(77, 2);

    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = tokio::spawn(init_prometheus(address, registry));
    let mut found = page(address).await;
    while found.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        found = page(address).await;
    }
    let page = found.unwrap();
    let expected = [
        r#"psephos_trustee_calls{method="ask",outcome="unavailable"} 1"#,
        r#"psephos_trustee_calls{method="deposit",outcome="Quota"} 1"#,
        r#"psephos_trustee_calls{method="deposit",outcome="ok"} 2"#,
        "psephos_trustee_finalized 77",
        "psephos_trustee_served 2",
    ];
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("psephos")).collect();
    assert_eq!(lines, expected, "nothing else is told");
    server.abort();
}
