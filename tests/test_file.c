/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "nn/file.h"

static char root[4096]; /* a directory of this run's own; the tests work in it */

static int enter(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/file.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(root) ? chdir(root) : -1;
}

static int leave(void **state) {
    (void)state;
    if (chdir("/")) return -1;
    char command[5000];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void check_content(const char *path, const char *expected) {
    char *data = NULL;
    size_t size;
    at_error err = {0};
    if (at_file_read(path, 0, &data, &size, &err)) fail_msg("%s", err.text);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(data, expected, size + 1); /* the NUL too */
    free(data);
}

static void refuses(at_status status, at_status expected, const at_error *err, const char *text) {
    assert_int_equal(status, expected);
    assert_int_equal(err->status, expected);
    if (!strstr(err->text, text)) fail_msg("'%s' is not in '%s'", text, err->text);
}

static void write_and_read(void **state) {
    (void)state;
    assert_int_equal(at_file_write("a", "one", 3, NULL), AT_OK);
    check_content("a", "one");
    assert_int_equal(at_file_write("a", "second", 6, NULL), AT_OK);
    check_content("a", "second");
    assert_int_equal(at_file_write("a", NULL, 0, NULL), AT_OK);
    check_content("a", "");
    assert_int_equal(at_file_write_quick("a", "picture", 7, NULL), AT_OK);
    check_content("a", "picture");
    assert_false(at_path_exists("a.tmp"));
    struct stat info;
    mode_t mask = umask(022);
    at_file_write("b", "x", 1, NULL);
    umask(mask);
    stat("b", &info);
    assert_int_equal(info.st_mode & 0777, 0644);
}

static void read_errors(void **state) {
    (void)state;
    at_error err = {0};
    char *data;
    size_t size;
    at_file_write("ten", "0123456789", 10, NULL);
    refuses(at_file_read("none", 0, &data, &size, &err), AT_ERR_IO, &err, "'none': No such file");
    refuses(at_file_read(".", 0, &data, &size, &err), AT_ERR_INPUT, &err, "directory");
    refuses(at_file_read("ten", 9, &data, &size, &err), AT_ERR_INPUT, &err, "larger than 9");
    assert_int_equal(at_file_read("ten", 10, &data, &size, &err), AT_OK);
    free(data);
    /* no size to be known before: the limit holds all the same */
    refuses(at_file_read("/dev/zero", 100000, &data, &size, &err), AT_ERR_INPUT, &err, "larger");
}

/* A stream written to in pieces, longer than any buffer. */
static void large_files(void **state) {
    (void)state;
    at_file_writer w;
    assert_int_equal(at_file_begin(&w, "large", NULL), AT_OK);
    for (int i = 0; i < 100000; i++) fprintf(w.stream, "%09d\n", i);
    assert_int_equal(at_file_commit(&w, NULL), AT_OK);
    char *data;
    size_t size;
    assert_int_equal(at_file_read("large", 0, &data, &size, NULL), AT_OK);
    assert_int_equal(size, 1000000);
    assert_memory_equal(data + 999990, "000099999\n", 11);
    free(data);
}

/* Large enough to be read by several threads, in pieces; the last one is not whole. */
static void read_in_pieces(void **state) {
    enum { WORDS = (9 << 20) / 4 + 7 };
    uint32_t *words = malloc(WORDS * sizeof *words);
    char *data;
    size_t size;
    (void)state;
    for (uint32_t i = 0; i < WORDS; i++) words[i] = i * 2654435761u;
    assert_int_equal(at_file_write("pieces", words, WORDS * sizeof *words, NULL), AT_OK);
    assert_int_equal(at_file_read("pieces", 0, &data, &size, NULL), AT_OK);
    assert_int_equal(size, WORDS * sizeof *words);
    assert_memory_equal(data, words, size);
    assert_int_equal(data[size], 0);
    free(data);
    free(words);
}

static void the_old_file_stays_until_commit(void **state) {
    (void)state;
    at_file_write("kept", "old", 3, NULL);
    at_file_writer w;
    assert_int_equal(at_file_begin(&w, "kept", NULL), AT_OK);
    fputs("half of the n", w.stream);
    fflush(w.stream);
    check_content("kept", "old");
    at_file_abandon(&w);
    check_content("kept", "old");
    assert_false(at_path_exists("kept.tmp"));
}

static void a_killed_writer_leaves_the_old_file(void **state) {
    (void)state;
    at_file_write("run", "old", 3, NULL);
    pid_t child = fork();
    if (!child) {
        at_file_writer w;
        at_file_begin(&w, "run", NULL);
        for (int i = 0; i < 10000; i++) fputs("garbage ", w.stream);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    check_content("run", "old");
    assert_true(at_path_exists("run.tmp"));
    at_file_write("run", "new", 3, NULL); /* takes the leftover over */
    check_content("run", "new");
    assert_false(at_path_exists("run.tmp"));
}

static void two_writers_of_one_file(void **state) {
    (void)state;
    at_file_writer a, b;
    assert_int_equal(at_file_begin(&a, "both", NULL), AT_OK);
    assert_int_equal(at_file_begin(&b, "both", NULL), AT_OK);
    fputs("from a", a.stream);
    fputs("b", b.stream);
    assert_int_equal(at_file_commit(&a, NULL), AT_OK);
    check_content("both", "from a");
    assert_int_equal(at_file_commit(&b, NULL), AT_OK);
    check_content("both", "b");
    assert_false(at_path_exists("both.tmp") || at_path_exists("both.tmp1"));
}

static void links_are_followed(void **state) {
    (void)state;
    at_file_write("real", "1", 1, NULL);
    assert_int_equal(symlink("real", "link"), 0);
    assert_int_equal(at_file_write("link", "2", 1, NULL), AT_OK);
    check_content("real", "2");
    struct stat info;
    lstat("link", &info);
    assert_true(S_ISLNK(info.st_mode));
}

/* A pipe of our own stands for /dev/stdout and /dev/null: code that went wrong here would replace
 * what it was given, which must not be the system's. */
static void pipes_are_written_directly(void **state) {
    (void)state;
    assert_int_equal(mkfifo("pipe", 0666), 0);
    int reader = open("pipe", O_RDONLY | O_NONBLOCK);
    assert_int_equal(at_file_write("pipe", "text", 4, NULL), AT_OK);
    char text[5] = "";
    assert_int_equal(read(reader, text, 4), 4);
    assert_string_equal(text, "text");
    close(reader);
    struct stat info;
    stat("pipe", &info);
    assert_true(S_ISFIFO(info.st_mode));
}

static void write_errors(void **state) {
    (void)state;
    at_error err = {0};
    mkdir("folder", 0777);
    refuses(at_file_write("no/such", "x", 1, &err), AT_ERR_IO, &err, "'no/such': No such file");
    refuses(at_file_write("folder", "x", 1, &err), AT_ERR_IO, &err, "is a directory");

    at_file_write("full", "old", 3, NULL); /* a file that may not grow beyond 64 kB */
    struct rlimit before, limit = {65536, 65536};
    getrlimit(RLIMIT_FSIZE, &before);
    limit.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    static char large[100000];
    at_status status = at_file_write("full", large, sizeof large, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    refuses(status, AT_ERR_IO, &err, "File too large");
    check_content("full", "old");
    assert_false(at_path_exists("full.tmp"));
}

static void directories(void **state) {
    (void)state;
    at_error err = {0};
    assert_int_equal(at_make_dirs("d/e//f/", NULL), AT_OK);
    assert_int_equal(at_make_dirs("d/e/f", NULL), AT_OK);
    assert_true(at_path_is_dir("d/e/f"));
    at_file_write("d/file", "", 0, NULL);
    assert_true(at_path_exists("d/file") && !at_path_is_dir("d/file"));
    refuses(at_make_dirs("d/file", &err), AT_ERR_IO, &err, "'d/file': File exists");
    refuses(at_make_dirs("d/file/x", &err), AT_ERR_IO, &err, "d/file");
    refuses(at_make_dirs("", &err), AT_ERR_IO, &err, "''");
    char absolute[5000];
    snprintf(absolute, sizeof absolute, "%s/x/y", root);
    assert_int_equal(at_make_dirs(absolute, NULL), AT_OK);
    assert_true(at_path_is_dir("x/y"));
}

static void check_text(char *text, const char *expected) {
    assert_string_equal(text, expected);
    free(text);
}

static void paths(void **state) {
    (void)state;
    check_text(at_path_join("a", "b"), "a/b");
    check_text(at_path_join("a/", "b"), "a/b");
    check_text(at_path_join("", "b"), "b");
    check_text(at_path_join("/", "b"), "/b");
    check_text(at_path_join("a", "/b"), "/b");
    check_text(at_format("%s-%03d", "x", 7), "x-007");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(read_errors),
        cmocka_unit_test(large_files),
        cmocka_unit_test(read_in_pieces),
        cmocka_unit_test(the_old_file_stays_until_commit),
        cmocka_unit_test(a_killed_writer_leaves_the_old_file),
        cmocka_unit_test(two_writers_of_one_file),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(pipes_are_written_directly),
        cmocka_unit_test(write_errors),
        cmocka_unit_test(directories),
        cmocka_unit_test(paths),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
