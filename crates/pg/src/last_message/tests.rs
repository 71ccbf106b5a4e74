use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_postgres::config::{SslMode, SslNegotiation};

use super::*;
use sterna_error::Error;

const FATAL: &[u8] = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0";
const CRASH: &[u8] = b"SWARNUNG\0VWARNING\0C57P02\0Mterminating connection\0\0";
const REFUSAL: &[u8] = b"SERROR\0VERROR\0C42601\0Msyntax error\0\0";

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], &length[..], body].concat()
}

/// A session whose server is played by the test; data is transferred in pieces of `piece` bytes.
async fn begin(piece: usize) -> (tokio_postgres::Client, DuplexStream, Arc<AtomicBool>) {
    let (here, mut server) = tokio::io::duplex(piece);
    let is_ended = Arc::new(AtomicBool::new(false));
    let stream = LastMessage::new((Box::new(here), ChannelBinding::none()), is_ended.clone());
    let mut config = tokio_postgres::Config::new();
    config.user("u").ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    let accepted = async {
        let length = server.read_u32().await.unwrap() as usize - 4;
        server.read_exact(&mut vec![0; length]).await.unwrap();
        server.write_all(&message(b'R', &[0; 4])).await.unwrap();
        server.write_all(&message(READY, b"I")).await.unwrap();
    };
    let (connected, ()) = tokio::join!(config.connect_raw(stream, AsItIs), accepted);
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    (client, server, is_ended)
}

async fn ask(client: &tokio_postgres::Client) -> Option<String> {
    let error = Error::from(client.batch_execute("SELECT 1").await.err()?);
    Some(error.sqlstate().map_or_else(|| error.to_string(), str::to_owned))
}

/// Reads one request.
async fn hear(server: &mut DuplexStream) {
    assert_eq!(server.read_u8().await.unwrap(), b'Q');
    let length = server.read_u32().await.unwrap() as usize - 4;
    server.read_exact(&mut vec![0; length]).await.unwrap();
}

#[tokio::test]
async fn all_that_is_asked_of_an_ended_session_is_told_why() {
    for (piece, (kind, body)) in
        [(1, (ERROR, FATAL)), (7, (ERROR, FATAL)), (8_192, (NOTICE, CRASH))]
    {
        let (client, mut server, is_ended) = begin(piece).await;
        server.write_all(&message(kind, body)).await.unwrap();
        drop(server);
        let code = String::from_utf8_lossy(body.split(|b| *b == 0).nth(2).unwrap()).into_owned();
        for _ in 0..3 {
            assert_eq!(ask(&client).await.as_deref(), Some(&code[1..]));
        }
        assert!(is_ended.load(Ordering::Relaxed) && !client.is_closed());
    }
}

#[tokio::test]
async fn statements_under_way_are_told_as_well() {
    let (client, mut server, _) = begin(8_192).await;
    let ended = async {
        hear(&mut server).await;
        hear(&mut server).await;
        hear(&mut server).await;
        let done = [message(b'C', b"SELECT 1\0"), message(READY, b"I")].concat();
        server.write_all(&done).await.unwrap();
        server.write_all(&message(ERROR, FATAL)).await.unwrap();
        drop(server);
    };
    let (first, second, third, ()) = tokio::join!(ask(&client), ask(&client), ask(&client), ended);
    assert_eq!(first, None);
    assert_eq!((second.as_deref(), third.as_deref()), (Some("57P01"), Some("57P01")));
}

#[tokio::test]
async fn other_messages_pass() {
    let (client, mut server, is_ended) = begin(3).await;
    let refused = async {
        hear(&mut server).await;
        server.write_all(&message(NOTICE, b"SNOTICE\0C00000\0Mx\0\0")).await.unwrap();
        server.write_all(&message(ERROR, REFUSAL)).await.unwrap();
        server.write_all(&message(READY, b"I")).await.unwrap();
    };
    let (refusal, ()) = tokio::join!(ask(&client), refused);
    assert_eq!(refusal.as_deref(), Some("42601"));
    // A server that closes without a message.
    drop(server);
    let lost = ask(&client).await.unwrap();
    assert!(lost.contains("connection closed"), "{lost}");
    assert!(!is_ended.load(Ordering::Relaxed) && client.is_closed());
}

#[test]
fn a_copy_is_one_request() {
    let mut requests = Requests::default();
    let copy = [
        message(b'B', &[0; 12]),
        message(b'E', &[0; 5]),
        message(b'S', b""),
        // Data that looks like messages.
        message(b'd', b"S\0\0\0\x04Q\0\0\0\x04"),
        message(b'c', b""),
        message(b'S', b""),
    ]
    .concat();
    copy.chunks(3).for_each(|chunk| requests.written(chunk));
    assert_eq!(requests.open, 1);
    requests.written(&message(b'Q', b"COMMIT\0"));
    assert_eq!(requests.open, 2);
}
