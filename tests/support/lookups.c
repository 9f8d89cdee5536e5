/* Preloaded into a process: writes down every host name that it looks up and every far address that
   it connects to, also from native code; then does what was asked. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(const char *what) {
    const char *path = getenv("LOOKUPS");
    int file = path && what ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;

    if (file >= 0) {
        (void)!write(file, what, strlen(what));
        (void)!write(file, "\n", 1);
        close(file);
    }
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");

    note(host);
    return next(host, service, hints, found);
}

struct hostent *gethostbyname(const char *host) {
    struct hostent *(*next)(const char *) = dlsym(RTLD_NEXT, "gethostbyname");

    note(host);
    return next(host);
}

int connect(int line, const struct sockaddr *where, socklen_t size) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");

    if (where->sa_family == AF_INET || where->sa_family == AF_INET6)
        note("an address");
    return next(line, where, size);
}
