/* Answers every HTTP request exactly DELAY after it was read, and keeps what it really took: what a load generator is
   held against. With STALL it answers nobody for 200 ms in every 2 s, and goes on reading.
   usage: exact_server PORT DELAY_US STALL(0|1)      GET /stats: n p50 p95 p99 in us since the last /stats */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { WAITING = 1 << 16, TIMES = 1 << 22, FDS = 1 << 16 };
static struct { int fd; unsigned life; int64_t in, due; } queue[WAITING];
static unsigned life[FDS]; /* of a descriptor: what waits for one that was closed must not reach its next owner */
static unsigned head, tail;
static float times[TIMES];
static size_t taken;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}
static void say(int fd, const char *body) {
    char text[512];
    int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    if (write(fd, text, n) < 0) return; /* its client has gone */
}
static float at(double q) { return taken ? times[(size_t)(q * (taken - 1))] : 0; }
static void stats(int fd) {
    char body[200];
    qsort(times, taken, sizeof *times, ascending);
    snprintf(body, sizeof body, "{\"n\": %zu, \"p50\": %.1f, \"p95\": %.1f, \"p99\": %.1f}", taken, at(.5), at(.95), at(.99));
    taken = 0;
    say(fd, body);
}
int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int64_t delay = atoll(argv[2]) * 1000, begun = now();
    int stall = atoi(argv[3]), one = 1, ears = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    prctl(PR_SET_TIMERSLACK, 1);
    struct sockaddr_in me = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(ears, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(ears, (void *)&me, sizeof me) || listen(ears, 4096)) return perror("exact_server"), 1;
    int ep = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = ears}, ready[256];
    epoll_ctl(ep, EPOLL_CTL_ADD, ears, &e);
    e.data.fd = timer;
    epoll_ctl(ep, EPOLL_CTL_ADD, timer, &e);
    for (;;) {
        int n = epoll_wait(ep, ready, 256, -1);
        int64_t t = now();
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == ears) {
                for (int c; (c = accept4(ears, 0, 0, SOCK_NONBLOCK)) >= 0;) {
                    if (c >= FDS) { close(c); continue; }
                    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    e.data.fd = c;
                    epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
                }
            } else if (fd == timer) {
                uint64_t rung;
                if (read(timer, &rung, sizeof rung) < 0 && errno != EAGAIN) return 1;
            } else {
                char data[8192];
                ssize_t got = read(fd, data, sizeof data);
                if (got <= 0) { if (got == 0 || errno != EAGAIN) { life[fd]++; close(fd); } continue; }
                if (got < 4 || memcmp(data + got - 4, "\r\n\r\n", 4)) continue; /* GETs only: the end of the head is the end */
                if (!memcmp(data, "GET /stats", 10)) { stats(fd); continue; }
                unsigned spot = tail++ % WAITING;
                queue[spot].fd = fd; queue[spot].life = life[fd]; queue[spot].in = t;
                int64_t due = t + delay, phase = (due - begun) % 2000000000LL;
                if (stall && phase < 200000000LL) due += 200000000LL - phase;
                queue[spot].due = due;
            }
        }
        for (t = now(); head != tail && queue[head % WAITING].due <= t; head++, t = now()) {
            if (queue[head % WAITING].life != life[queue[head % WAITING].fd]) continue;
            say(queue[head % WAITING].fd, "{\"predictions\": [\"fine\"]}");
            if (taken < TIMES) times[taken++] = (now() - queue[head % WAITING].in) / 1000.;
        }
        struct itimerspec next = {0};
        if (head != tail) {
            int64_t due = queue[head % WAITING].due;
            next.it_value.tv_sec = due / 1000000000LL;
            next.it_value.tv_nsec = due % 1000000000LL;
        }
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &next, 0);
    }
}
