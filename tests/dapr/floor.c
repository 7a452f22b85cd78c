/* floor.c: what a request costs at least, whoever serves it: one recv that waits, one send of an answer as long as the sidecar's, a thread for each
 * connection, nothing looked at. tests/dapr/bench measures it beside `minivm dapr`. Usage: floor, which prints its port. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: application/json\r\nEtag: 1\r\nContent-Length: 12\r\n\r\n\"Death Star\"";

static void *serve(void *connection) {
  int fd = (int)(intptr_t)connection, on = 1;
  char request[4096];
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  while (recv(fd, request, sizeof request, 0) > 0 && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0) continue;
  close(fd);
  return NULL;
}

int main(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof a;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&a, size) != 0 || listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&a, &size) != 0) return 1;
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0) return 1;
    pthread_detach(thread);
  }
  return 1;
}
