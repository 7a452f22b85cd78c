// The program orders.c in AssemblyScript: npm install && npm run build. It takes no argument: it asks no other application.
import { JSON } from "assemblyscript-json/assembly";
import { DaprClient, Operation, StateItem } from "../../dapr/clients/assemblyscript/dapr";
import { print } from "../../dapr/clients/assemblyscript/http";

const STORE = "statestore";
const d = new DaprClient();

function need(ok: bool, what: string): void {
  if (ok) return;
  print(what + ": " + d.error);
  unreachable();
}

function fillStock(): void {
  // of an earlier run: a state that was saved as first-write stays so
  need(d.deleteState(STORE, "stock/apple") && d.deleteState(STORE, "stock/pear"), "stock");
  need(d.saveBulkState(STORE, [new StateItem("stock/apple", JSON.Value.Integer(3)), new StateItem("stock/pear", JSON.Value.Integer(1))]), "stock");
  const both = d.getBulkState(STORE, ["stock/apple", "stock/pear"]);
  need(both.isArr && (<JSON.Arr>both).valueOf().length == 2, "stock");
  print("stock: 3 apples, 1 pear");
}

// Takes from the stock and writes the order, both or neither; a stock that another has changed since is not overwritten.
function order(): void {
  const stock = d.getState(STORE, "stock/apple");
  const etag = d.etag;
  need(stock.isInteger, "order");
  const less = new StateItem("stock/apple", JSON.Value.Integer((<JSON.Integer>stock).valueOf() - 2));
  less.etag = etag;
  less.concurrency = "first-write";
  const text = JSON.Value.Object();
  text.set("fruit", "apple");
  text.set("count", 2);
  need(d.transaction(STORE, [Operation.upsert(less), Operation.upsert(new StateItem("order 1", text))]), "order");
  print("order 1: 2 apples, " + d.getState(STORE, "stock/apple").stringify() + " left");
  const late = new StateItem("stock/apple", JSON.Value.Integer(99));
  late.etag = etag;
  late.concurrency = "first-write";
  print(d.saveBulkState(STORE, [late]) ? "a stale ETag was taken!" : "a stale ETag is refused");
}

function tell(): void {
  need(d.publish("pubsub", "orders", '{"order":1}'), "event");
  print("event published");
  const secrets = d.getSecret("secrets", "carrier-key");
  need(secrets.isObj, "secret");
  print("secret of " + (<JSON.Obj>secrets).getString("carrier-key")!.valueOf().length.toString() + " characters");
  const name = new Map<string, string>();
  name.set("fileName", "order-1.txt");
  need(d.invokeBinding("receipts", "create", JSON.Value.String("2 apples"), name).ok, "receipt");
  print("receipt written");
}

function ask(): void {
  const settings = d.getConfiguration("settings", ["discount"]);
  let discount = "none";
  if (settings.isObj) {
    const item = (<JSON.Obj>settings).getObj("discount");
    if (item) discount = item.getString("value")!.stringify();
  }
  print("discount: " + discount);
}

function clean(): void {
  need(d.deleteState(STORE, "order 1"), "delete");
  print(d.getState(STORE, "order 1").isNull ? "order 1 deleted" : "order 1 is still there!");
}

fillStock();
order();
tell();
ask();
clean();
