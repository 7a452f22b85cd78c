// The call pattern of the original AssemblyScript client, written anew: static blocks of memory for the results, the status read as the low half of one,
// a chunk buffer of 4096 bytes, headers as one text.

// @ts-ignore
@external("wasi_experimental_http", "req")
declare function raw_req(url: usize, url_len: usize, method: usize, method_len: usize, headers: usize, headers_len: usize, body: usize, body_len: usize, status: usize, handle: usize): u32;
// @ts-ignore
@external("wasi_experimental_http", "close")
declare function raw_close(handle: u32): u32;
// @ts-ignore
@external("wasi_experimental_http", "header_get")
declare function raw_header_get(handle: u32, name: usize, name_len: usize, value: usize, value_len: usize, written: usize): u32;
// @ts-ignore
@external("wasi_experimental_http", "headers_get_all")
declare function raw_headers_get_all(handle: u32, buf: usize, buf_len: usize, written: usize): u32;
// @ts-ignore
@external("wasi_experimental_http", "body_read")
declare function raw_body_read(handle: u32, buf: usize, buf_len: usize, written: usize): u32;
// @ts-ignore
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: u32, iovs: usize, iovs_len: usize, written: usize): u32;

const STATUS: usize = memory.data(8);
const HANDLE: usize = memory.data(8);
const WRITTEN: usize = memory.data(8);
const CHUNK: usize = memory.data(4096);
const IOVS: usize = memory.data(16);
const NEWLINE: usize = memory.data(4);

export function print(text: string): void {
  const bytes = String.UTF8.encode(text);
  store<u8>(NEWLINE, 10);
  store<u32>(IOVS, changetype<usize>(bytes) as u32, 0);
  store<u32>(IOVS, bytes.byteLength as u32, 4);
  store<u32>(IOVS, NEWLINE as u32, 8);
  store<u32>(IOVS, 1, 12);
  fd_write(1, IOVS, 2, WRITTEN); // the count is ignored, both vectors are expected to be written
}

export class Response {
  constructor(public status: u16, private handle: u32) {}

  bodyReadAll(): string {
    const all = new Array<u8>();
    while (true) {
      if (raw_body_read(this.handle, CHUNK, 4096, WRITTEN) != 0) break;
      const n = load<u32>(WRITTEN);
      if (n == 0) break;
      for (let i: u32 = 0; i < n; i++) all.push(load<u8>(CHUNK + i));
    }
    return String.UTF8.decodeUnsafe(all.dataStart, all.length);
  }

  headerGet(name: string): string {
    const bytes = String.UTF8.encode(name);
    if (raw_header_get(this.handle, changetype<usize>(bytes), bytes.byteLength, CHUNK, 4096, WRITTEN) != 0) return "";
    return String.UTF8.decodeUnsafe(CHUNK, load<u32>(WRITTEN));
  }

  headerText(): string {
    if (raw_headers_get_all(this.handle, CHUNK, 4096, WRITTEN) != 0) return "";
    return String.UTF8.decodeUnsafe(CHUNK, load<u32>(WRITTEN));
  }

  close(): void {
    raw_close(this.handle);
  }
}

export let lastError: u32 = 0;

export function send(method: string, url: string, headers: string = "", body: string = ""): Response | null {
  const u = String.UTF8.encode(url), m = String.UTF8.encode(method), h = String.UTF8.encode(headers), b = String.UTF8.encode(body);
  lastError = raw_req(changetype<usize>(u), u.byteLength, changetype<usize>(m), m.byteLength, changetype<usize>(h), h.byteLength, changetype<usize>(b), b.byteLength, STATUS, HANDLE);
  if (lastError != 0) return null;
  return new Response(load<u16>(STATUS), load<u32>(HANDLE));
}
