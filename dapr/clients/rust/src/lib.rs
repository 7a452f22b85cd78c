//! A Dapr client for Rust programs compiled to WebAssembly (`wasm32-wasip1`), over the imports `wasi_experimental_http`. It has no dependencies: values are
//! JSON text, which `serde_json::to_string` or [`json_string`] make.
//!
//! ```no_run
//! use dapr_wasi::{json_string, Client};
//! # fn main() -> Result<(), dapr_wasi::Error> {
//! let dapr = Client::new();
//! dapr.save_state("statestore", "weapon", &json_string("Death Star"))?;
//! let weapon = dapr.get_state("statestore", "weapon")?;
//! assert_eq!(weapon.unwrap().value, "\"Death Star\"");
//! # Ok(())
//! # }
//! ```
//!
//! Run with `minivm --dapr app.wasm`.

use std::fmt;

#[link(wasm_import_module = "wasi_experimental_http")]
extern "C" {
    fn req(url: *const u8, url_len: usize, method: *const u8, method_len: usize, headers: *const u8, headers_len: usize, body: *const u8, body_len: usize, status: *mut u16, handle: *mut u32) -> u32;
    fn close(handle: u32) -> u32;
    fn header_get(handle: u32, name: *const u8, name_len: usize, value: *mut u8, value_cap: usize, written: *mut u32) -> u32;
    fn body_read(handle: u32, buf: *mut u8, cap: usize, written: *mut u32) -> u32;
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The sidecar answered with a status other than 2xx.
    Status(u16, String),
    /// No answer came: the code of the import, 1 to 13.
    Import(u32),
    /// The answer is no UTF-8.
    Encoding,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const WORDS: [&str; 14] = [
            "no error", "invalid handle", "memory not found", "memory access error", "buffer too small", "header not found", "UTF-8 error",
            "destination not allowed", "invalid method", "invalid encoding", "invalid URL", "request error", "runtime error", "too many sessions",
        ];
        match self {
            Error::Status(status, body) => write!(f, "status {}: {}", status, body),
            Error::Import(code) => write!(f, "{}", WORDS.get(*code as usize).unwrap_or(&"unknown error")),
            Error::Encoding => write!(f, "the answer is not UTF-8"),
        }
    }
}

impl std::error::Error for Error {}

/// The answer to a request that succeeded.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    pub body: Vec<u8>,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// JSON.
    pub value: String,
    pub etag: Option<String>,
}

/// A state to save.
#[derive(Debug, Clone, Default)]
pub struct StateItem<'a> {
    pub key: &'a str,
    /// JSON.
    pub value: &'a str,
    /// Save only when the stored one is this.
    pub etag: Option<&'a str>,
    /// Such as `ttlInSeconds`.
    pub metadata: &'a [(&'a str, &'a str)],
    /// `first-write` or `last-write`.
    pub concurrency: Option<&'a str>,
    /// `strong` or `eventual`.
    pub consistency: Option<&'a str>,
}

impl<'a> StateItem<'a> {
    pub fn new(key: &'a str, value: &'a str) -> Self {
        StateItem { key, value, ..Default::default() }
    }
}

/// One operation of a transaction.
#[derive(Debug, Clone)]
pub enum Operation<'a> {
    Upsert(StateItem<'a>),
    Delete(&'a str),
}

/// A client of one sidecar.
#[derive(Debug, Clone)]
pub struct Client {
    /// `http://127.0.0.1:3500`, or the port in `DAPR_HTTP_PORT`.
    pub url: String,
    /// Print each request to standard output.
    pub trace: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// `text` as a JSON string, with its quotes.
pub fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// RFC 3986: everything but unreserved characters is encoded.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => (b as char).to_string(),
            b => format!("%{:02X}", b),
        })
        .collect()
}

fn metadata_query(metadata: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = metadata.iter().map(|(name, value)| format!("metadata.{}={}", encode(name), encode(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn members(pairs: &[(&str, &str)]) -> String {
    let all: Vec<String> = pairs.iter().map(|(name, value)| format!("{}:{}", json_string(name), json_string(value))).collect();
    format!("{{{}}}", all.join(","))
}

fn list(values: &[&str]) -> String {
    let all: Vec<String> = values.iter().map(|v| json_string(v)).collect();
    format!("[{}]", all.join(","))
}

fn item_json(item: &StateItem) -> String {
    let mut out = format!("{{\"key\":{},\"value\":{}", json_string(item.key), item.value);
    if let Some(etag) = item.etag {
        out += &format!(",\"etag\":{}", json_string(etag));
    }
    if !item.metadata.is_empty() {
        out += &format!(",\"metadata\":{}", members(item.metadata));
    }
    let options: Vec<(&str, &str)> = [("concurrency", item.concurrency), ("consistency", item.consistency)].iter().filter_map(|(n, v)| v.map(|v| (*n, v))).collect();
    if !options.is_empty() {
        out += &format!(",\"options\":{}", members(&options));
    }
    out + "}"
}

const JSON: &str = "Content-Type:application/json\n";

impl Client {
    /// A client for the sidecar of this program.
    pub fn new() -> Self {
        let port = std::env::var("DAPR_HTTP_PORT").ok().filter(|p| !p.is_empty());
        Client { url: format!("http://127.0.0.1:{}", port.as_deref().unwrap_or("3500")), trace: false }
    }

    /// Sends a request to the sidecar. `path` is below its URL, `headers` are lines `name:value\n`.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Answer, Error> {
        let url = format!("{}{}", self.url, path);
        if self.trace && body.is_empty() {
            println!("{} {}", method, url);
        } else if self.trace {
            println!("{} {} with {}", method, url, String::from_utf8_lossy(body));
        }
        let (mut status, mut handle, mut n) = (0u16, 0u32, 0u32);
        // Each pointer comes with the length of what it points to, and lives during the call.
        let code = unsafe { req(url.as_ptr(), url.len(), method.as_ptr(), method.len(), headers.as_ptr(), headers.len(), body.as_ptr(), body.len(), &mut status, &mut handle) };
        if code != 0 {
            return Err(Error::Import(code));
        }
        let mut buf = [0u8; 4096];
        let code = unsafe { header_get(handle, "etag".as_ptr(), 4, buf.as_mut_ptr(), buf.len(), &mut n) };
        let etag = if code == 0 { String::from_utf8(buf[..n as usize].to_vec()).ok() } else { None };
        let mut answer = Answer { status, etag, body: Vec::new() };
        let code = loop {
            let code = unsafe { body_read(handle, buf.as_mut_ptr(), buf.len(), &mut n) };
            if code != 0 || n == 0 {
                break code;
            }
            answer.body.extend_from_slice(&buf[..n as usize]);
        };
        unsafe { close(handle) };
        match (code, status) {
            (0, 200..=299) => Ok(answer),
            (0, _) => Err(Error::Status(status, String::from_utf8_lossy(&answer.body).into_owned())),
            _ => Err(Error::Import(code)),
        }
    }

    fn text(answer: Answer) -> Result<String, Error> {
        String::from_utf8(answer.body).map_err(|_| Error::Encoding)
    }

    /// Saves one value, which is JSON.
    pub fn save_state(&self, store: &str, key: &str, value: &str) -> Result<(), Error> {
        self.save_bulk_state(store, &[StateItem::new(key, value)])
    }

    /// Saves several values.
    pub fn save_bulk_state(&self, store: &str, items: &[StateItem]) -> Result<(), Error> {
        let all: Vec<String> = items.iter().map(item_json).collect();
        self.send("POST", &format!("/v1.0/state/{}", encode(store)), JSON, format!("[{}]", all.join(",")).as_bytes()).map(|_| ())
    }

    /// Reads a value; `None`: there is none.
    pub fn get_state(&self, store: &str, key: &str) -> Result<Option<State>, Error> {
        let answer = self.send("GET", &format!("/v1.0/state/{}/{}", encode(store), encode(key)), "", b"")?;
        if answer.body.is_empty() {
            return Ok(None);
        }
        let etag = answer.etag.clone();
        Ok(Some(State { value: Self::text(answer)?, etag }))
    }

    /// Reads several values, as JSON: `[{"key":...,"data":...,"etag":...}, ...]`.
    pub fn get_bulk_state(&self, store: &str, keys: &[&str]) -> Result<String, Error> {
        self.send("POST", &format!("/v1.0/state/{}/bulk", encode(store)), JSON, format!("{{\"keys\":{}}}", list(keys)).as_bytes()).and_then(Self::text)
    }

    /// Removes a value; with an ETag only when it is the stored one.
    pub fn delete_state(&self, store: &str, key: &str, etag: Option<&str>) -> Result<(), Error> {
        let headers = etag.map(|e| format!("If-Match:{}\n", e)).unwrap_or_default();
        self.send("DELETE", &format!("/v1.0/state/{}/{}", encode(store), encode(key)), &headers, b"").map(|_| ())
    }

    /// Does all operations or none.
    pub fn transaction(&self, store: &str, operations: &[Operation]) -> Result<(), Error> {
        let all: Vec<String> = operations
            .iter()
            .map(|o| match o {
                Operation::Upsert(item) => format!("{{\"operation\":\"upsert\",\"request\":{}}}", item_json(item)),
                Operation::Delete(key) => format!("{{\"operation\":\"delete\",\"request\":{}}}", members(&[("key", key)])),
            })
            .collect();
        self.send("POST", &format!("/v1.0/state/{}/transaction", encode(store)), JSON, format!("{{\"operations\":[{}]}}", all.join(",")).as_bytes()).map(|_| ())
    }

    /// Publishes an event of a content type such as `application/json`.
    pub fn publish(&self, pubsub: &str, topic: &str, content_type: &str, data: &[u8], metadata: &[(&str, &str)]) -> Result<(), Error> {
        let path = format!("/v1.0/publish/{}/{}{}", encode(pubsub), encode(topic), metadata_query(metadata));
        self.send("POST", &path, &format!("Content-Type:{}\n", content_type), data).map(|_| ())
    }

    /// Calls a method of another application; `path` may have slashes and a query, `app` may be a URL.
    pub fn invoke(&self, app: &str, method: &str, path: &str, content_type: Option<&str>, body: &[u8]) -> Result<Answer, Error> {
        let app = if app.contains("://") { app.to_string() } else { encode(app) };
        let headers = content_type.map(|t| format!("Content-Type:{}\n", t)).unwrap_or_default();
        self.send(method, &format!("/v1.0/invoke/{}/method/{}", app, path.trim_start_matches('/')), &headers, body)
    }

    /// Reads a secret, as JSON: `{"key":"secret"}`.
    pub fn get_secret(&self, store: &str, key: &str, metadata: &[(&str, &str)]) -> Result<String, Error> {
        self.send("GET", &format!("/v1.0/secrets/{}/{}{}", encode(store), encode(key), metadata_query(metadata)), "", b"").and_then(Self::text)
    }

    /// Reads all secrets, as JSON: `{"key":{"key":"secret"}, ...}`.
    pub fn get_bulk_secret(&self, store: &str) -> Result<String, Error> {
        self.send("GET", &format!("/v1.0/secrets/{}/bulk", encode(store)), "", b"").and_then(Self::text)
    }

    /// Reads these keys of a configuration, or all, as JSON: `{"key":{"value":...,"version":...}, ...}`.
    pub fn get_configuration(&self, store: &str, keys: &[&str]) -> Result<String, Error> {
        let query: Vec<String> = keys.iter().map(|k| format!("key={}", encode(k))).collect();
        let path = format!("/v1.0/configuration/{}{}{}", encode(store), if query.is_empty() { "" } else { "?" }, query.join("&"));
        self.send("GET", &path, "", b"").and_then(Self::text)
    }

    /// Calls an output binding; `data` is JSON.
    pub fn invoke_binding(&self, name: &str, operation: &str, data: Option<&str>, metadata: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
        let data = data.map(|d| format!("\"data\":{},", d)).unwrap_or_default();
        let body = format!("{{{}\"metadata\":{},\"operation\":{}}}", data, members(metadata), json_string(operation));
        self.send("POST", &format!("/v1.0/bindings/{}", encode(name)), JSON, body.as_bytes()).map(|a| a.body)
    }
}
