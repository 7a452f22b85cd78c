//! A guest of the original kind: the crate wasi-experimental-http, unchanged, against tests/http/server.py.
//! usage: rust.wasm http://127.0.0.1:MAIN http://127.0.0.1:CANARY

use bytes::Bytes;
use wasi_experimental_http::{request, send_request};

fn check(name: &str, ok: bool) {
    println!("{} {}", if ok { "ok" } else { "FAIL" }, name);
}

fn build(method: &str, url: &str, body: Option<&'static str>) -> http::Request<Option<Bytes>> {
    http::Request::builder().method(method).uri(url).header("X-Guest", "rust").body(body.map(Bytes::from)).unwrap()
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let (main, canary) = (&args[1], &args[2]);

    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let mut res = request(build(method, &format!("{}/echo?m=1", main), Some("a body")))?;
        check(method, res.status_code == 200 && res.header_get("X-Method".to_string())? == method);
        check("its body", res.body_read_all()? == b"a body");
    }
    let mut res = request(build("GET", &format!("{}/headers", main), None))?;
    check("headers", String::from_utf8(res.body_read_all()?)?.contains("x-guest:rust\n"));
    let res = request(build("GET", &format!("{}/multi", main), None))?;
    let all = res.headers_get_all()?;
    check("headers_get_all", all["x-colons"] == "a:b:c" && all["set-cookie"] == "b=2" && all["x-empty"] == "");
    check("no such header", res.header_get("x-none".to_string()).is_err());

    let mut res = request(build("GET", &format!("{}/chunked/300000", main), None))?;
    let body = res.body_read_all()?;
    check("chunked", body.len() == 300000 && body.iter().enumerate().all(|(i, b)| *b == i as u8));
    let res = send_request(build("GET", &format!("{}/bytes/1000000", main), None))?;
    check("send_request", res.status() == 200 && res.body().as_ref().map(|b| b.len()) == Some(1000000));
    check("its headers", res.headers()["content-length"] == "1000000");

    check("404", request(build("GET", &format!("{}/nothing", main), None))?.status_code == 404);
    let error = |url: String| request(build("GET", &url, None)).err().map(|e| format!("{:?}", e)).unwrap_or_default();
    check("not allowed", error(canary.to_string()).contains('7'));
    check("closed", error(format!("{}/closed", main)).contains("11"));
    let mut res = request(build("GET", &format!("{}/truncated", main), None))?;
    check("truncated", res.body_read_all().is_err());
    drop(res);

    let mut failed = 0;
    for i in 0..2000 {
        let mut res = request(build("POST", &format!("{}/echo/{}", main, i), Some("x")))?;
        failed += (res.body_read_all()? != b"x") as u32;
    }
    check("2000 sequential requests", failed == 0);
    println!("done");
    Ok(())
}
