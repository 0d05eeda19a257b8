/* Makes one system call of a kind fail, in any program that is linked dynamically:
 *
 *     FAULT_OP=write FAULT_AT=17 FAULT_ERRNO=28 FAULT_ROOT=/tmp/run LD_PRELOAD=./faults.so PROGRAM
 *
 * FAULT_OP: create (a file that is opened to be written), open (to be read), write, fsync, rename, mkdir, read or map.
 * FAULT_AT: which of them, from 1; 0 only counts. FAULT_TIMES: how many in a row, 1 by default.
 * FAULT_ROOT: only files below it count. FAULT_COUNT: the file that gets their number.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int below(const char *path) {
    const char *root = getenv("FAULT_ROOT");
    char whole[8192];
    if (!root || !path)
        return 0;
    if (path[0] != '/') {
        char folder[4096];
        if (syscall(SYS_getcwd, folder, sizeof folder) < 0)
            return 0;
        snprintf(whole, sizeof whole, "%s/%s", folder, path);
        path = whole;
    }
    return strncmp(path, root, strlen(root)) == 0;
}

static int below_descriptor(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return below(path);
}

/* 1 if this call of that kind is the one to fail. */
static int fails(const char *kind) {
    const char *wanted = getenv("FAULT_OP"), *at = getenv("FAULT_AT"), *times = getenv("FAULT_TIMES");
    if (!wanted || strcmp(wanted, kind) != 0)
        return 0;
    long number = atomic_fetch_add(&calls, 1) + 1, first = at ? atol(at) : 0;
    if (first == 0 || number < first || number >= first + (times ? atol(times) : 1))
        return 0;
    const char *code = getenv("FAULT_ERRNO");
    errno = code ? atoi(code) : EIO;
    return 1;
}

__attribute__((destructor)) static void count(void) {
    const char *path = getenv("FAULT_COUNT");
    if (!path)
        return;
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file, "%ld\n", (long)calls);
        fclose(file);
    }
}

#define REAL(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static int opens(const char *path, int flags) {
    if (!below(path) || flags & O_DIRECTORY)
        return 0;
    return fails(flags & (O_WRONLY | O_RDWR | O_CREAT) ? "create" : "open");
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opens(path, flags) ? -1 : REAL(open, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opens(path, flags) ? -1 : REAL(open64, path, flags, mode);
}

ssize_t write(int to, const void *bytes, size_t length) {
    return below_descriptor(to) && fails("write") ? -1 : REAL(write, to, bytes, length);
}

ssize_t writev(int to, const struct iovec *parts, int number) {
    return below_descriptor(to) && fails("write") ? -1 : REAL(writev, to, parts, number);
}

ssize_t pwrite64(int to, const void *bytes, size_t length, off64_t at) {
    return below_descriptor(to) && fails("write") ? -1 : REAL(pwrite64, to, bytes, length, at);
}

int fsync(int of) { return below_descriptor(of) && fails("fsync") ? -1 : REAL(fsync, of); }

int fdatasync(int of) { return below_descriptor(of) && fails("fsync") ? -1 : REAL(fdatasync, of); }

int rename(const char *from, const char *to) { return below(to) && fails("rename") ? -1 : REAL(rename, from, to); }

int mkdir(const char *path, mode_t mode) { return below(path) && fails("mkdir") ? -1 : REAL(mkdir, path, mode); }

ssize_t read(int from, void *bytes, size_t length) {
    return below_descriptor(from) && fails("read") ? -1 : REAL(read, from, bytes, length);
}

ssize_t readv(int from, const struct iovec *parts, int number) {
    return below_descriptor(from) && fails("read") ? -1 : REAL(readv, from, parts, number);
}

ssize_t pread64(int from, void *bytes, size_t length, off64_t at) {
    return below_descriptor(from) && fails("read") ? -1 : REAL(pread64, from, bytes, length, at);
}

void *mmap64(void *where, size_t length, int protection, int flags, int of, off64_t at) {
    if (of >= 0 && below_descriptor(of) && fails("map"))
        return MAP_FAILED;
    return REAL(mmap64, where, length, protection, flags, of, at);
}

void *mmap(void *where, size_t length, int protection, int flags, int of, off_t at) {
    if (of >= 0 && below_descriptor(of) && fails("map"))
        return MAP_FAILED;
    return REAL(mmap, where, length, protection, flags, of, at);
}
