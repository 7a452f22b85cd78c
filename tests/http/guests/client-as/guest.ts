// The AssemblyScript client of Dapr with keys and values that are not nice, as client.c does it. The port of an application that --allow-http allows is put
// in when it is built, beside a copy of the client.
import { JSON } from "assemblyscript-json/assembly";
import { DaprClient, Operation, StateItem } from "./dapr";
import { print } from "./http";

const STORE = "statestore";
const d = new DaprClient();

function check(name: string, ok: bool): void {
  print(ok ? "ok " + name : "FAIL " + name + ": " + d.status.toString() + " " + d.error);
}

function refused(name: string, status: i32, text: string): void {
  check(name, (status == 0 ? d.status >= 400 : d.status == status) && d.error.includes(text));
}

const keys = ["plain", "a b", "a/b", "a+b", "a%2Fb", "a?b=c", "a#b", "\u00e9\u20ac", "\"quoted\"", "a:b@c;d", "a&b=c", "it's (*)!"];
for (let i = 0; i < keys.length; i++) {
  const key = keys[i];
  check("save " + key, d.saveState(STORE, key, JSON.Value.String(key)) && d.status == 204);
  const value = d.getState(STORE, key);
  check("get " + key, value.isString && (<JSON.Str>value).valueOf() == key && d.etag.length > 0);
  check("delete " + key, d.deleteState(STORE, key, d.etag) && d.status == 204);
  check("gone " + key, d.getState(STORE, key).isNull && d.status == 204);
}
const item = new StateItem("item", JSON.Value.Integer(1));
const ttl = new Map<string, string>();
ttl.set("ttlInSeconds", "100");
item.metadata = ttl;
item.consistency = "strong";
const object = JSON.Value.Object();
object.set("a\"b", "line\nend");
check("bulk save", d.saveBulkState(STORE, [item, new StateItem("item 2", object)]));
const both = d.getBulkState(STORE, ["item", "item 2"]);
check("bulk get", both.isArr && (<JSON.Arr>both).valueOf().length == 2);
const second = d.getState(STORE, "item 2");
check("an object", second.isObj && (<JSON.Obj>second).getString("a\"b")!.valueOf() == "line\nend");
check("transaction", d.transaction(STORE, [Operation.upsert(new StateItem("t1", JSON.Value.Bool(true))), Operation.remove("item")]));
check("upsert", d.getState(STORE, "t1").isBool);
check("remove", d.getState(STORE, "item").isNull && d.status == 204);
check("a wrong ETag", !d.deleteState(STORE, "t1", "4711"));
refused("and its status", 409, "ERR_STATE_DELETE");
d.getState("nostore", "x");
refused("an unknown store", 400, "ERR_STATE_STORE_NOT_FOUND");
check("publish", d.publish("pubsub", "topic", '{"n":1}', "application/json", ttl));
const raw = new Map<string, string>();
raw.set("rawPayload", "true");
check("publish text", d.publish("pubsub", "topic/of words", "text", "text/plain", raw));
check("publish to nobody", !d.publish("nopubsub", "topic", "1"));
refused("and why", 404, "ERR_PUBSUB_NOT_FOUND");
const secret = d.getSecret("secrets", "carrier-key");
check("secret", secret.isObj && (<JSON.Obj>secret).getString("carrier-key")!.valueOf() == "not-a-real-key");
check("all secrets", d.getBulkSecret("secrets").isObj);
d.getSecret("secrets", "none");
refused("no secret", 0, "ERR_SECRET_GET");
d.getConfiguration("nosettings", ["a b", "c"]);
refused("no configuration", 0, "CONFIGURATION");
const name = new Map<string, string>();
name.set("fileName", "a b.txt");
check("binding", d.invokeBinding("receipts", "create", JSON.Value.String("a text"), name).ok);
check("binding's answer", d.invokeBinding("receipts", "get", null, name).body == "a text");
check("no binding", !d.invokeBinding("nobinding", "create", JSON.Value.Integer(1)).ok);
refused("and why there is none", 0, "ERR_INVOKE_OUTPUT_BINDING");
check("invoke nobody", !d.invoke("nobody", "GET", "/x").ok);
refused("and why not", 0, "ERR_DIRECT_INVOKE");
check("invoke", d.invoke("http://127.0.0.1:PORT", "POST", "echo?a=b", "hello", "text/plain").body == "hello");
print("done");
