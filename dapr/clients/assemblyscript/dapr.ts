// dapr.ts: a Dapr client for AssemblyScript, over the imports wasi_experimental_http.
//
//   import { JSON } from "assemblyscript-json/assembly";
//   import { DaprClient, StateItem } from "./dapr";
//
//   const dapr = new DaprClient();
//   dapr.saveState("statestore", "weapon", JSON.Value.String("Death Star"));
//   const weapon = dapr.getState("statestore", "weapon");
//
// A call that answers with a bool is true when it succeeded; `status`, `error` and `etag` of the client tell more about the last call.
// Run with: minivm --dapr app.wasm

import { JSON } from "assemblyscript-json/assembly";
import { Answer, errorName, print, send } from "./http";

/** A state to save. */
export class StateItem {
  key: string;
  value: JSON.Value;
  /** Save only when the stored one is this. */
  etag: string | null = null;
  /** Such as ttlInSeconds. */
  metadata: Map<string, string> | null = null;
  /** "first-write" or "last-write". */
  concurrency: string | null = null;
  /** "strong" or "eventual". */
  consistency: string | null = null;

  constructor(key: string, value: JSON.Value) {
    this.key = key;
    this.value = value;
  }
}

/** One operation of a transaction. */
export class Operation {
  private constructor(public operation: string, public item: StateItem) {}

  static upsert(item: StateItem): Operation {
    return new Operation("upsert", item);
  }

  static remove(key: string): Operation {
    return new Operation("delete", new StateItem(key, JSON.Value.Null()));
  }
}

function quote(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) out += "\\" + text.charAt(i);
    else if (c < 0x20) out += "\\u00" + (c < 0x10 ? "0" : "") + c.toString(16);
    else out += text.charAt(i);
  }
  return out + '"';
}

/** The JSON text of a value; the package's own stringify leaves names and control characters as they are. */
function jsonText(value: JSON.Value): string {
  if (value.isString) return quote((<JSON.Str>value).valueOf());
  const out = new Array<string>();
  if (value.isArr) {
    const items = (<JSON.Arr>value).valueOf();
    for (let i = 0; i < items.length; i++) out.push(jsonText(items[i]));
    return "[" + out.join(",") + "]";
  }
  if (value.isObj) {
    const object = <JSON.Obj>value, names = object.keys;
    for (let i = 0; i < names.length; i++) out.push(quote(names[i]) + ":" + jsonText(object.get(names[i])!));
    return "{" + out.join(",") + "}";
  }
  return value.stringify();
}

function members(pairs: Map<string, string>): string {
  const names = pairs.keys(), out = new Array<string>();
  for (let i = 0; i < names.length; i++) out.push(quote(names[i]) + ":" + quote(pairs.get(names[i])));
  return "{" + out.join(",") + "}";
}

function itemText(item: StateItem, withValue: bool): string {
  let out = '{"key":' + quote(item.key);
  if (withValue) out += ',"value":' + jsonText(item.value);
  const etag = item.etag, metadata = item.metadata, concurrency = item.concurrency, consistency = item.consistency;
  if (etag) out += ',"etag":' + quote(etag);
  if (metadata) out += ',"metadata":' + members(metadata);
  if (concurrency || consistency) {
    const options = new Map<string, string>();
    if (concurrency) options.set("concurrency", concurrency);
    if (consistency) options.set("consistency", consistency);
    out += ',"options":' + members(options);
  }
  return out + "}";
}

/** Everything but unreserved characters is encoded. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("!", "%21").replaceAll("'", "%27").replaceAll("(", "%28").replaceAll(")", "%29").replaceAll("*", "%2A");
}

function metadataQuery(metadata: Map<string, string> | null): string {
  if (!metadata) return "";
  const names = metadata.keys(), out = new Array<string>();
  for (let i = 0; i < names.length; i++) out.push("metadata." + encode(names[i]) + "=" + encode(metadata.get(names[i])));
  return out.length ? "?" + out.join("&") : "";
}

const JSON_TYPE = "Content-Type:application/json\n";

export class DaprClient {
  address: string = "127.0.0.1";
  port: i32 = 3500;
  /** Print each request. */
  trace: bool = false;
  /** Of the last answer; 0: there was none. */
  status: i32 = 0;
  etag: string = "";
  /** Why the last call failed, in words. */
  error: string = "";

  constructor() {}

  url(path: string): string {
    return "http://" + this.address + ":" + this.port.toString() + "/v1.0/" + path;
  }

  stateURL(storeName: string): string {
    return this.url("state/" + encode(storeName));
  }

  private call(method: string, url: string, headers: string, body: string): Answer {
    if (this.trace) print(method + " " + url + (body.length ? " with " + body : ""));
    const answer = send(method, url, headers, body);
    this.status = answer.status;
    this.etag = answer.etag;
    this.error = answer.ok ? "" : answer.error != 0 ? errorName(answer.error) : answer.body;
    return answer;
  }

  private parse(answer: Answer): JSON.Value {
    if (!answer.ok || answer.body.length == 0) return JSON.Value.Null();
    return JSON.parse(answer.body);
  }

  /** Saves one value. */
  saveState(storeName: string, key: string, value: JSON.Value): bool {
    return this.saveBulkState(storeName, [new StateItem(key, value)]);
  }

  /** Saves several values. */
  saveBulkState(storeName: string, items: StateItem[]): bool {
    const texts = new Array<string>();
    for (let i = 0; i < items.length; i++) texts.push(itemText(items[i], true));
    return this.call("POST", this.stateURL(storeName), JSON_TYPE, "[" + texts.join(",") + "]").ok;
  }

  /** Reads a value; null when there is none (status 204). */
  getState(storeName: string, key: string): JSON.Value {
    return this.parse(this.call("GET", this.stateURL(storeName) + "/" + encode(key), "", ""));
  }

  /** Reads several values: an array of {key, data, etag}. */
  getBulkState(storeName: string, keys: string[]): JSON.Value {
    const texts = new Array<string>();
    for (let i = 0; i < keys.length; i++) texts.push(quote(keys[i]));
    return this.parse(this.call("POST", this.stateURL(storeName) + "/bulk", JSON_TYPE, '{"keys":[' + texts.join(",") + "]}"));
  }

  /** Removes a value; with an ETag only when it is the stored one. */
  deleteState(storeName: string, key: string, etag: string = ""): bool {
    return this.call("DELETE", this.stateURL(storeName) + "/" + encode(key), etag.length ? "If-Match:" + etag + "\n" : "", "").ok;
  }

  /** Does all operations or none. */
  transaction(storeName: string, operations: Operation[]): bool {
    const texts = new Array<string>();
    for (let i = 0; i < operations.length; i++) {
      const upsert = operations[i].operation == "upsert";
      texts.push('{"operation":' + quote(operations[i].operation) + ',"request":' + itemText(operations[i].item, upsert) + "}");
    }
    return this.call("POST", this.stateURL(storeName) + "/transaction", JSON_TYPE, '{"operations":[' + texts.join(",") + "]}").ok;
  }

  /** Publishes an event. */
  publish(pubsubName: string, topic: string, data: string, contentType: string = "application/json", metadata: Map<string, string> | null = null): bool {
    return this.call("POST", this.url("publish/" + encode(pubsubName) + "/" + encode(topic)) + metadataQuery(metadata), "Content-Type:" + contentType + "\n", data).ok;
  }

  /** Calls a method of another application; `path` may have slashes and a query, `app` may be a URL. */
  invoke(app: string, method: string, path: string, body: string = "", contentType: string = ""): Answer {
    const target = app.includes("://") ? app : encode(app);
    return this.call(method, this.url("invoke/" + target + "/method/" + (path.startsWith("/") ? path.substring(1) : path)), contentType.length ? "Content-Type:" + contentType + "\n" : "", body);
  }

  /** Reads a secret: {key: secret}. */
  getSecret(storeName: string, key: string, metadata: Map<string, string> | null = null): JSON.Value {
    return this.parse(this.call("GET", this.url("secrets/" + encode(storeName) + "/" + encode(key)) + metadataQuery(metadata), "", ""));
  }

  /** Reads all secrets: {key: {key: secret}, ...}. */
  getBulkSecret(storeName: string): JSON.Value {
    return this.getSecret(storeName, "bulk");
  }

  /** Reads these keys of a configuration, or all: {key: {value, version}, ...}. */
  getConfiguration(storeName: string, keys: string[] = []): JSON.Value {
    const texts = new Array<string>();
    for (let i = 0; i < keys.length; i++) texts.push("key=" + encode(keys[i]));
    return this.parse(this.call("GET", this.url("configuration/" + encode(storeName)) + (keys.length ? "?" + texts.join("&") : ""), "", ""));
  }

  /** Calls an output binding; its answer is the binding's. */
  invokeBinding(name: string, operation: string, data: JSON.Value | null = null, metadata: Map<string, string> | null = null): Answer {
    let body = "{";
    if (data) body += '"data":' + jsonText(data) + ",";
    if (metadata) body += '"metadata":' + members(metadata) + ",";
    return this.call("POST", this.url("bindings/" + encode(name)), JSON_TYPE, body + '"operation":' + quote(operation) + "}");
  }
}
