/* attacks.h: the table of attacks on the allow-list. A row is
 *
 *   X(NAME, DEFENCES, ALLOWED, DNS, METHOD, URL, HEADERS, BODY, CODE, WHERE, WHAT)
 *
 * DEFENCES begins with the one that stops the attack: without it the request must end in another way. Without all that are named, the attack must
 * succeed, that is, the server WHERE must see a request with WHAT in it; with all defences it must not. CODE is the result with all of them.
 * ALLOWED is the allow-list; "*" allows everything, "-" denies private addresses. DNS is what a name resolves to ("name:port:address"); an address that is
 * not of this machine is exchanged, once it has been checked, for the canary's. {M} {C} {T} {S} are the ports of the allowed server, the canary, the server
 * with TLS, and one with another's certificate. HEADERS are "name\1value\1". */

#define MAIN_ONLY "http://127.0.0.1:{M}"
#define GET "GET"
#define REACHED "CANARY", ""

#define ATTACKS(X) \
  /* ---- what is not on the list */ \
  X("an empty list", "LIST", "", "", GET, "http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("another port", "PORT", MAIN_ONLY, "", GET, "http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("another port for a list without one", "PORT", "http://127.0.0.1", "", GET, "http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("another port, with leading zeros", "PORT", MAIN_ONLY, "", GET, "http://127.0.0.1:000{C}/", "", "", 7, REACHED) \
  X("another scheme", "SCHEME", "https://127.0.0.1:{C}", "", GET, "http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("another scheme, in capitals", "SCHEME", "https://127.0.0.1:{C}", "", GET, "HTTP://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("another address of the same machine", "HOST", "http://127.0.0.1:{C}", "", GET, "http://127.0.0.2:{C}/", "", "", 7, REACHED) \
  X("a name for an allowed address", "HOST", "http://127.0.0.1:{C}", "", GET, "http://localhost:{C}/", "", "", 7, REACHED) \
  X("a sub-domain", "HOST", "http://good.test:{C}", "x.good.test:{C}:127.0.0.1", GET, "http://x.good.test:{C}/", "", "", 7, REACHED) \
  X("a longer name", "HOST", "http://good.test:{C}", "evilgood.test:{C}:127.0.0.1", GET, "http://evilgood.test:{C}/", "", "", 7, REACHED) \
  X("the name as a prefix", "HOST", "http://good.test:{C}", "good.test.evil.test:{C}:127.0.0.1", GET, "http://good.test.evil.test:{C}/", "", "", 7, REACHED) \
  X("the parent domain", "HOST", "http://good.test:{C}", "test:{C}:127.0.0.1", GET, "http://test:{C}/", "", "", 7, REACHED) \
  X("a trailing dot", "HOST", "http://good.test:{C}", "evil.test.:{C}:127.0.0.1", GET, "http://evil.test.:{C}/", "", "", 7, REACHED) \
  X("capitals", "HOST", "http://good.test:{C}", "evil.test:{C}:127.0.0.1", GET, "http://EVIL.TEST:{C}/", "", "", 7, REACHED) \
  X("an underscore for a hyphen", "HOST", "http://go-od.test:{C}", "go_od.test:{C}:127.0.0.1", GET, "http://go_od.test:{C}/", "", "", 7, REACHED) \
  /* ---- user names */ \
  X("the allowed host as a user", "USERINFO HOST", "http://good.test:{C}", "", GET, "http://good.test@127.0.0.1:{C}/", "", "", 10, REACHED) \
  X("the allowed origin as user and password", "USERINFO PORT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}@127.0.0.1:{C}/", "", "", 10, REACHED) \
  X("two at signs", "USERINFO PORT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}@x@127.0.0.1:{C}/", "", "", 10, REACHED) \
  X("a backslash before the user", "USERINFO PORT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}\\@127.0.0.1:{C}/", "", "", 10, REACHED) \
  X("an empty user", "USERINFO PORT", MAIN_ONLY, "", GET, "http://@127.0.0.1:{C}/", "", "", 10, REACHED) \
  /* ---- hosts that are not written as hosts are */ \
  X("one number", "NUMERIC HOST", "http://good.test:{C}", "", GET, "http://2130706433:{C}/", "", "", 10, REACHED) \
  X("a hexadecimal number", "NUMERIC HOST", "http://good.test:{C}", "", GET, "http://0x7f000001:{C}/", "", "", 10, REACHED) \
  X("an octal number", "NUMERIC HOST", "http://good.test:{C}", "", GET, "http://017700000001:{C}/", "", "", 10, REACHED) \
  X("two numbers", "NUMERIC HOST", "http://good.test:{C}", "", GET, "http://127.1:{C}/", "", "", 10, REACHED) \
  X("leading zeros", "NUMERIC HOST", "http://good.test:{C}", "", GET, "http://0177.0.0.1:{C}/", "", "", 10, REACHED) \
  X("a hexadecimal part", "NUMERIC HOST", "http://good.test:{C}", "", GET, "http://127.0.0x0.1:{C}/", "", "", 10, REACHED) \
  X("a number where private addresses are denied", "NUMERIC DIALLED", "*-", "", GET, "http://2130706433:{C}/", "", "", 10, REACHED) \
  X("a percent-encoded host", "HOST_CHARS HOST PARTS", "http://good.test:{C}", "", GET, "http://127.0.0.%31:{C}/", "", "", 10, REACHED) \
  X("a letter in a circle", "HOST_CHARS HOST", "http://good.test:{C}", "", GET, "http://\xe2\x93\x9bocalhost:{C}/", "", "", 10, REACHED) \
  X("a full-width digit", "HOST_CHARS HOST", "http://good.test:{C}", "", GET, "http://127.0.0.\xef\xbc\x91:{C}/", "", "", 10, REACHED) \
  X("ideographic full stops", "HOST_CHARS HOST", "http://good.test:{C}", "", GET, "http://127\xe3\x80\x82" "0\xe3\x80\x82" "0\xe3\x80\x82" "1:{C}/", "", "", 10, REACHED) \
  X("a soft hyphen", "HOST_CHARS HOST", "http://good.test:{C}", "", GET, "http://local\xc2\xadhost:{C}/", "", "", 10, REACHED) \
  X("the mapped IPv6 form of an address", "HOST", "http://127.0.0.1:{C}", "", GET, "http://[::ffff:127.0.0.2]:{C}/", "", "", 7, REACHED) \
  X("another loopback address", "HOST", "http://127.0.0.1:{C}", "", GET, "http://[0:0::1]:{C}/", "", "", 7, REACHED) \
  X("an IPv6 zone", "ZONE HOST", "http://127.0.0.1:{C}", "", GET, "http://[::1%25lo]:{C}/", "", "", 10, REACHED) \
  /* ---- other schemes */ \
  X("ftp", "WEB", "*", "", GET, "ftp://127.0.0.1:{C}/", "", "", 10, REACHED) \
  X("gopher", "WEB", "*", "", GET, "gopher://127.0.0.1:{C}/_GET", "", "", 10, REACHED) \
  X("file", "WEB", "*", "", GET, "file://127.0.0.1:{C}/etc/passwd", "", "", 10, REACHED) \
  X("a scheme that begins with http", "WEB", "*", "", GET, "httpx://127.0.0.1:{C}/", "", "", 10, REACHED) \
  /* ---- redirects */ \
  X("a redirect", "REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?to=http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("a permanent redirect", "REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?code=301&to=http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("a redirect that keeps the body", "REDIRECT", MAIN_ONLY, "", "POST", "http://127.0.0.1:{M}/redirect?code=307&to=http://127.0.0.1:{C}/", "", "secret", 7, "CANARY", "POST") \
  X("a redirect without a scheme", "REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?code=308&to=//127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("the second hop", "REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?to=/redirect?to=http://127.0.0.1:{C}/", "", "", 7, REACHED) \
  X("a redirect to another name", "REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?code=303&to=http://localhost:{C}/", "", "", 7, REACHED) \
  X("a redirect to a user name", "USERINFO REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?to=http://127.0.0.1:{M}@127.0.0.1:{C}/", "", "", 11, REACHED) \
  X("a redirect to another scheme", "WEB REDIRECT", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?to=ftp://127.0.0.1:{C}/", "", "", 11, REACHED) \
  X("a redirect to a private address", "DIALLED", MAIN_ONLY " http://evil.test:{C} -", "evil.test:{C}:127.0.0.1", GET, \
    "http://127.0.0.1:{M}/redirect?to=http://evil.test:{C}/", "", "", 7, REACHED) \
  X("redirects without an end", "REDIRECTS", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/chain/40", "", "", 11, "MAIN", "GET /chain/0") \
  X("a redirect into the own process", "INWARD", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/redirect?to=http://127.0.0.1:3500/v1.0/secrets", "", "", 7, "MOUNT", "") \
  X("a password that follows a redirect", "CREDENTIALS", MAIN_ONLY " http://127.0.0.1:{C}", "", GET, "http://127.0.0.1:{M}/redirect?to=http://127.0.0.1:{C}/", \
    "Authorization\1Basic secret\1", "", 0, "CANARY", "\x1f" "authorization:") \
  X("a cookie that follows a redirect", "CREDENTIALS", MAIN_ONLY " http://localhost:{C}", "", "POST", "http://127.0.0.1:{M}/redirect?code=308&to=http://localhost:{C}/", \
    "COOKIE\1secret\1", "x", 0, "CANARY", "\x1f" "cookie:") \
  /* ---- methods, headers and URLs that say more than they should */ \
  X("a header in the method", "METHOD", MAIN_ONLY, "", "GET / HTTP/1.1\r\nX-Injected: 1\r\nX-Rest: ", "http://127.0.0.1:{M}/echo", "", "", 8, "MAIN", "\x1fx-injected:1") \
  X("a tunnel", "TUNNEL", MAIN_ONLY, "", "CONNECT", "http://127.0.0.1:{M}/echo", "", "", 8, "MAIN", "CONNECT") \
  X("a line in a value", "VALUE", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "A\1b\r\nX-Injected: 1\1", "", 9, "MAIN", "\x1fx-injected:1") \
  X("a line feed in a value", "VALUE", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "A\1b\nX-Injected: 1\1", "", 9, "MAIN", "\x1fx-injected:1") \
  X("a second request in a value", "VALUE", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "A\1b\r\n\r\nGET /injected HTTP/1.1\r\nB: c\1", "", 9, "MAIN", "GET /injected") \
  X("a line in a name", "NAME", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "X-Injected: 1\r\nA\1b\1", "", 9, "MAIN", "\x1fx-injected:1") \
  X("a colon in a name", "NAME", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "X-Injected:1\1b\1", "", 9, "MAIN", "\x1fx-injected:1") \
  X("a line in a URL", "URL_CONTROL", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo HTTP/1.1\r\nX-Injected: 1\r\nA: b", "", "", 10, "MAIN", "\x1fx-injected:1") \
  X("a second request in a URL", "URL_CONTROL", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo HTTP/1.1\r\nHost: x\r\n\r\nGET /injected", "", "", 10, "MAIN", "GET /injected") \
  X("a line in a query", "URL_CONTROL", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo?a=b HTTP/1.1\nX-Injected: 1\nA: b", "", "", 10, "MAIN", "\x1fx-injected:1") \
  X("the host of a neighbour", "AUTHORITY", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "Host\1neighbour.test\1", "", 7, "MAIN", "\x1fhost:neighbour.test") \
  X("the host of a neighbour, in capitals", "AUTHORITY", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "HOST\1neighbour.test\1", "", 7, "MAIN", "\x1fhost:neighbour.test") \
  X("a request behind a short body", "LENGTH", MAIN_ONLY, "", "POST", "http://127.0.0.1:{M}/echo", "Content-Length\1" "0\1", "GET /injected HTTP/1.1\r\nHost: x\r\n\r\n", 9, "MAIN", \
    "GET /injected") \
  X("an upgrade", "HOP", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "Upgrade\1h2c\1", "", 0, "MAIN", "\x1fupgrade:") \
  X("a password for the proxy", "HOP", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "Proxy-Authorization\1x\1", "", 0, "MAIN", "\x1fproxy-authorization:") \
  /* ---- the environment and TLS */ \
  X("a proxy in the environment", "PROXY", MAIN_ONLY, "", GET, "http://127.0.0.1:{M}/echo", "", "", 0, REACHED) \
  X("a certificate of an unknown authority", "TLS_PEER", "https://127.0.0.1:{T}", "", GET, "https://127.0.0.1:{T}/", "", "", 11, "TLS", "") \
  X("a certificate of another host", "TLS_HOST", "https://127.0.0.1:{S}", "", GET, "https://127.0.0.1:{S}/", "", "", 11, "STRANGER", "") \
  /* ---- names of private addresses */ \
  X("loopback", "DIALLED", "http://localhost:{C} -", "", GET, "http://localhost:{C}/", "", "", 7, REACHED) \
  X("loopback, by a name with a trailing dot", "DIALLED", "http://localhost.:{C} -", "localhost.:{C}:127.0.0.1", GET, "http://localhost.:{C}/", "", "", 7, REACHED) \
  X("loopback, by another address of it", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:127.0.0.2", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a private address", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:10.1.2.3", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("another private address", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:172.31.255.255", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a third private address", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:192.168.0.1", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a cloud's metadata", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:169.254.169.254", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a carrier's network", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:100.64.0.1", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("the unspecified address", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:0.0.0.0", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("multicast", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:224.0.0.1", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("broadcast", "PRIVATE4", "http://x.test:{C} -", "x.test:{C}:255.255.255.255", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("IPv6 loopback", "PRIVATE6", "http://x.test:{C} -", "x.test:{C}:[::1]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("the unspecified IPv6 address", "PRIVATE6", "http://x.test:{C} -", "x.test:{C}:[::]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a unique local address", "PRIVATE6", "http://x.test:{C} -", "x.test:{C}:[fd12::1]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a link-local address", "PRIVATE6", "http://x.test:{C} -", "x.test:{C}:[fe80::1]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("IPv6 multicast", "PRIVATE6", "http://x.test:{C} -", "x.test:{C}:[ff02::1]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a mapped address", "EMBEDDED", "http://x.test:{C} -", "x.test:{C}:[::ffff:10.0.0.1]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a translated address", "EMBEDDED", "http://x.test:{C} -", "x.test:{C}:[64:ff9b::7f00:1]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a 6to4 address", "EMBEDDED", "http://x.test:{C} -", "x.test:{C}:[2002:7f00:1::]", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a private address behind a public one", "DIALLED", "http://x.test:{C} -", "x.test:{C}:93.184.216.34,127.0.0.1", GET, "http://x.test:{C}/", "", "", 7, REACHED) \
  X("a private address that nobody listed", "LISTED", "*-", "", GET, "http://127.0.0.1:{C}/", "", "", 7, REACHED)
