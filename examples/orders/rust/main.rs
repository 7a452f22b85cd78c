//! The program orders.c in Rust: cargo build --release --target wasm32-wasip1
use dapr_wasi::{Client, Error, Operation, StateItem};

const STORE: &str = "statestore";

/// The value of `"name":` in `json`, up to the end of its string, as it stands there. Enough for this program; serde_json knows more.
fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let from = json.find(&format!("\"{}\":\"", name))? + name.len() + 3;
    let end = json[from + 1..].find('"')? + from + 2;
    Some(&json[from..end])
}

fn fill_stock(d: &Client) -> Result<(), Error> {
    for key in ["stock/apple", "stock/pear"] {
        d.delete_state(STORE, key, None)?; // of an earlier run: a state that was saved as first-write stays so
    }
    d.save_bulk_state(STORE, &[StateItem::new("stock/apple", "3"), StateItem::new("stock/pear", "1")])?;
    let both = d.get_bulk_state(STORE, &["stock/apple", "stock/pear"])?;
    assert!(both.contains("stock/apple") && both.contains("stock/pear"));
    println!("stock: 3 apples, 1 pear");
    Ok(())
}

/// Takes from the stock and writes the order, both or neither; a stock that another has changed since is not overwritten.
fn order(d: &Client) -> Result<(), Error> {
    let stock = d.get_state(STORE, "stock/apple")?.expect("a stock");
    let left = (stock.value.parse::<i32>().expect("a number") - 2).to_string();
    let first = |value| StateItem { etag: stock.etag.as_deref(), concurrency: Some("first-write"), ..StateItem::new("stock/apple", value) };
    d.transaction(STORE, &[Operation::Upsert(first(&left)), Operation::Upsert(StateItem::new("order 1", "{\"fruit\":\"apple\",\"count\":2}"))])?;
    println!("order 1: 2 apples, {} left", d.get_state(STORE, "stock/apple")?.expect("a stock").value);
    match d.save_bulk_state(STORE, &[first("99")]) {
        Ok(()) => println!("a stale ETag was taken!"),
        Err(_) => println!("a stale ETag is refused"),
    }
    Ok(())
}

fn tell(d: &Client) -> Result<(), Error> {
    d.publish("pubsub", "orders", "application/json", b"{\"order\":1}", &[])?;
    println!("event published");
    let secret = d.get_secret("secrets", "carrier-key", &[])?;
    println!("secret of {} characters", member(&secret, "carrier-key").map_or(0, |s| s.len() - 2));
    d.invoke_binding("receipts", "create", Some("\"2 apples\""), &[("fileName", "order-1.txt")])?;
    println!("receipt written");
    Ok(())
}

fn ask(d: &Client, shipping: Option<String>) -> Result<(), Error> {
    let discount = d.get_configuration("settings", &["discount"]).unwrap_or_default();
    println!("discount: {}", member(&discount, "value").unwrap_or("none"));
    if let Some(app) = shipping {
        let answer = d.invoke(&app, "POST", "echo?order=1", Some("text/plain"), b"2 apples")?;
        println!("shipping: {}", String::from_utf8_lossy(&answer.body));
    }
    Ok(())
}

fn clean(d: &Client) -> Result<(), Error> {
    d.delete_state(STORE, "order 1", None)?;
    println!("{}", if d.get_state(STORE, "order 1")?.is_some() { "order 1 is still there!" } else { "order 1 deleted" });
    Ok(())
}

fn main() -> Result<(), Error> {
    let d = Client::new();
    fill_stock(&d)?;
    order(&d)?;
    tell(&d)?;
    ask(&d, std::env::args().nth(1))?;
    clean(&d)
}
