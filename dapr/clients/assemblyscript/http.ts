// http.ts: requests over the imports wasi_experimental_http, and a line of text to standard output.

// @ts-ignore
@external("wasi_experimental_http", "req")
declare function http_req(url: usize, urlLen: usize, method: usize, methodLen: usize, headers: usize, headersLen: usize, body: usize, bodyLen: usize, status: usize, handle: usize): u32;
// @ts-ignore
@external("wasi_experimental_http", "close")
declare function http_close(handle: u32): u32;
// @ts-ignore
@external("wasi_experimental_http", "header_get")
declare function http_header_get(handle: u32, name: usize, nameLen: usize, value: usize, cap: usize, written: usize): u32;
// @ts-ignore
@external("wasi_experimental_http", "body_read")
declare function http_body_read(handle: u32, buf: usize, cap: usize, written: usize): u32;
// @ts-ignore
@external("wasi_snapshot_preview1", "fd_write")
declare function wasi_fd_write(fd: u32, iovs: usize, count: usize, written: usize): u32;

const RESULT: usize = memory.data(16);

const errors: StaticArray<string> = [
  "no error", "invalid handle", "memory not found", "memory access error", "buffer too small", "header not found", "UTF-8 error",
  "destination not allowed", "invalid method", "invalid encoding", "invalid URL", "request error", "runtime error", "too many sessions",
];

/** The name of an import's error code. */
export function errorName(code: u32): string {
  return code < <u32>errors.length ? errors[code] : "unknown error";
}

/** Writes a line to standard output. */
export function print(text: string): void {
  const bytes = String.UTF8.encode(text + "\n");
  let at = changetype<usize>(bytes), left = bytes.byteLength;
  while (left > 0) {
    store<u32>(RESULT, <u32>at);
    store<u32>(RESULT, <u32>left, 4);
    if (wasi_fd_write(1, RESULT, 1, RESULT + 8) != 0) return;
    const n = load<u32>(RESULT, 8);
    at += n;
    left -= n;
  }
}

/** What came of a request. */
export class Answer {
  /** The code of the import that failed; 0: none. */
  error: u32 = 0;
  status: i32 = 0;
  etag: string = "";
  body: string = "";
  /** Did it succeed? */
  get ok(): bool {
    return this.error == 0 && this.status >= 200 && this.status < 300;
  }
}

function readBody(handle: u32, answer: Answer): void {
  let buffer = new ArrayBuffer(4096), size = 0;
  for (;;) {
    if (size == buffer.byteLength) {
      const larger = new ArrayBuffer(size * 2);
      memory.copy(changetype<usize>(larger), changetype<usize>(buffer), size);
      buffer = larger;
    }
    answer.error = http_body_read(handle, changetype<usize>(buffer) + size, buffer.byteLength - size, RESULT);
    const n = load<u32>(RESULT);
    if (answer.error != 0 || n == 0) break;
    size += n;
  }
  answer.body = String.UTF8.decodeUnsafe(changetype<usize>(buffer), size);
}

/** Sends a request; `headers` are lines "name:value\n". */
export function send(method: string, url: string, headers: string, body: string): Answer {
  const answer = new Answer();
  const m = String.UTF8.encode(method), u = String.UTF8.encode(url), h = String.UTF8.encode(headers), b = String.UTF8.encode(body);
  answer.error = http_req(changetype<usize>(u), u.byteLength, changetype<usize>(m), m.byteLength, changetype<usize>(h), h.byteLength, changetype<usize>(b), b.byteLength, RESULT, RESULT + 8);
  if (answer.error != 0) return answer;
  answer.status = load<u16>(RESULT);
  const handle = load<u32>(RESULT, 8);
  const name = String.UTF8.encode("etag"), value = new ArrayBuffer(256);
  if (http_header_get(handle, changetype<usize>(name), name.byteLength, changetype<usize>(value), value.byteLength, RESULT) == 0)
    answer.etag = String.UTF8.decodeUnsafe(changetype<usize>(value), load<u32>(RESULT));
  readBody(handle, answer);
  http_close(handle);
  return answer;
}
