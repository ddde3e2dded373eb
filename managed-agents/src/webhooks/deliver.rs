//! One delivery.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::Webhook;
use super::queue::Due;
use crate::http::Client;

/// What of an answer's body is read, so that the connection can be used again.
const MOST_ANSWER: usize = 16 * 1024;

/// Sends a letter; the error is a word or two, without anything that the receiver wrote.
pub(super) async fn deliver(webhook: &Webhook, client: &Client, due: &Due, patience: Duration) -> Result<(), String> {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| -> Result<(), String> {
        let value = HeaderValue::from_str(&value).map_err(|_| "an id that no header can hold".to_owned())?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    set("webhook-id", due.event.clone())?;
    set("webhook-timestamp", seconds.to_string())?;
    if let Some(secret) = &webhook.secret {
        let signature = secret.sign(&due.event, seconds, &due.body);
        set("webhook-signature", signature.ok_or("it cannot be signed")?)?;
    }
    let body = due.body.clone().into_bytes();
    let deadline = Instant::now() + patience;
    let reply = client
        .post_with(webhook.endpoint.path(), headers, body, deadline)
        .await
        .map_err(|failure| failure.into_detail().into_owned())?;
    let status = reply.status();
    // what the receiver says beside its status is none of our business
    let _ = reply.body(MOST_ANSWER).await;
    match status {
        200..300 => Ok(()),
        status => Err(format!("status {status}")),
    }
}
