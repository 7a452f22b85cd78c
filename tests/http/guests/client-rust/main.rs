//! The Rust client of Dapr with keys and values that are not nice, as client.c does it. usage: client-rust.wasm URL, an application that --allow-http allows.
use dapr_wasi::{json_string, Client, Error, Operation, StateItem};

fn check(name: &str, ok: bool) {
    println!("{} {}", if ok { "ok" } else { "FAIL" }, name);
}

fn good<T>(name: &str, result: Result<T, Error>, fits: impl Fn(&T) -> bool) -> Option<T> {
    match result {
        Ok(value) if fits(&value) => {
            println!("ok {}", name);
            return Some(value);
        }
        Ok(_) => println!("FAIL {}: another answer", name),
        Err(e) => println!("FAIL {}: {}", name, e),
    }
    None
}

fn refused<T>(name: &str, result: Result<T, Error>, wanted: u16, text: &str) {
    check(name, matches!(&result, Err(Error::Status(status, body)) if (wanted == 0 || *status == wanted) && body.contains(text)));
}

fn main() {
    let d = Client::new();
    for key in ["plain", "a b", "a/b", "a+b", "a%2Fb", "a?b=c", "a#b", "\u{e9}\u{20ac}", "\"quoted\"", "a:b@c;d"] {
        let value = json_string(key);
        good(&format!("save {}", key), d.save_state("statestore", key, &value), |_| true);
        let state = good(&format!("get {}", key), d.get_state("statestore", key), |s| s.as_ref().map_or(false, |s| s.value == value && s.etag.is_some()));
        let etag = state.flatten().and_then(|s| s.etag);
        good(&format!("delete {}", key), d.delete_state("statestore", key, etag.as_deref()), |_| etag.is_some());
        good(&format!("gone {}", key), d.get_state("statestore", key), |s| s.is_none());
    }
    let item = StateItem { metadata: &[("ttlInSeconds", "100")], consistency: Some("strong"), ..StateItem::new("item", "1") };
    good("bulk save", d.save_bulk_state("statestore", &[item, StateItem::new("item 2", "{\"a\":null}")]), |_| true);
    good("bulk get", d.get_bulk_state("statestore", &["item", "item 2"]), |s| s.contains("\"key\":\"item 2\"") && s.contains("\"data\":1"));
    good("transaction", d.transaction("statestore", &[Operation::Upsert(StateItem::new("t1", "[1,2]")), Operation::Delete("item")]), |_| true);
    good("upsert", d.get_state("statestore", "t1"), |s| s.as_ref().map_or(false, |s| s.value == "[1,2]"));
    good("remove", d.get_state("statestore", "item"), |s| s.is_none());
    refused("a wrong ETag", d.delete_state("statestore", "t1", Some("4711")), 409, "ERR_STATE_DELETE");
    refused("an unknown store", d.get_state("nostore", "x"), 400, "ERR_STATE_STORE_NOT_FOUND");
    good("publish", d.publish("pubsub", "topic", "application/json", b"{\"n\":1}", &[("ttlInSeconds", "5")]), |_| true);
    good("publish bytes", d.publish("pubsub", "topic/of words", "application/octet-stream", &[0, 1, 255], &[]), |_| true);
    good("publish text", d.publish("pubsub", "topic", "text/plain", b"text", &[("rawPayload", "true")]), |_| true);
    refused("publish to nobody", d.publish("nopubsub", "topic", "application/json", b"1", &[]), 404, "ERR_PUBSUB_NOT_FOUND");
    good("secret", d.get_secret("secrets", "carrier-key", &[]), |s| s.contains("\"not-a-real-key\""));
    good("all secrets", d.get_bulk_secret("secrets"), |s| s.contains("{\"carrier-key\":\"not-a-real-key\"}"));
    refused("no secret", d.get_secret("secrets", "none", &[]), 0, "ERR_SECRET_GET");
    refused("no configuration", d.get_configuration("nosettings", &["a b", "c"]), 0, "CONFIGURATION");
    let name = [("fileName", "a b.txt")];
    good("binding", d.invoke_binding("receipts", "create", Some("\"a text\""), &name), |_| true);
    good("binding's answer", d.invoke_binding("receipts", "get", None, &name), |a| a == b"a text");
    refused("no binding", d.invoke_binding("nobinding", "create", Some("1"), &[]), 0, "ERR_INVOKE_OUTPUT_BINDING");
    refused("invoke nobody", d.invoke("nobody", "GET", "/x", None, b""), 0, "ERR_DIRECT_INVOKE");
    let url = std::env::args().nth(1).expect("a URL");
    good("invoke", d.invoke(&url, "POST", "echo?a=b", Some("text/plain"), b"hello"), |a| a.body == b"hello");
    println!("done");
}
