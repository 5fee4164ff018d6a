/* AP_OPT_INDEX_PATH: an index file that is loaded when opening, and the one in
 * the user's cache folder. */
#include "test.h"
#include "support/gzidx.h"
#include "support/nifti.h"
#include "support/series.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t rows(void)
{
    return test_small() ? 60 : 120;
}

/* Open with an index file; `more` are further options. */
static ap_status open_indexed(const char *path, const char *index, const char *more,
                              ap_proxy **proxy)
{
    ap_options *o = ap_options_new();
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_options_parse(o, more, &err));
    CHECK_OK(ap_options_set_text(o, AP_OPT_INDEX_PATH, index, &err));
    ap_status status = ap_open(path, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_options_free(o);
    return status;
}

/* Points that are loaded of those that were saved: BGZF's empty member behind
 * the data leads to nothing. */
static int same_points(int kind, info loaded, info saved)
{
    return loaded.points <= saved.points &&
           loaded.points >= saved.points - (kind == SERIES_BGZF) &&
           loaded.covered == saved.covered;
}

/* An index of all of a file, built by another handle. */
static info save_index(const char *path, const char *index)
{
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    info built = info_of(proxy);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    return built;
}

static void test_given(void)
{
    static const int kinds[] = {SERIES_GZIP, SERIES_STORED, SERIES_MEMBERS, SERIES_BGZF};
    const char *index = temp_path("given.gzidx"), *missing = temp_path("missing.gzidx");
    ap_proxy *proxy;
    for (int i = 0; i < COUNT(kinds); i++) {
        const char *path = write_series(kinds[i], rows());
        info built = save_index(path, index);
        for (int strict = 0; strict < 2; strict++)
            for (int walk = 0; walk < WALKS; walk++) {
                char more[60];
                test_note("%s, strict %d, walk %d", series_name(kinds[i]), strict, walk);
                snprintf(more, sizeof more, "strict=%d,threads=%d", strict, 1 + walk % 2);
                CHECK_OK(open_indexed(path, index, more, &proxy));
                CHECK(ap_warning(proxy, 0) == NULL);
                CHECK(same_points(kinds[i], info_of(proxy), built));
                CHECK_WALKS(proxy, rows(), walk);
                ap_free(proxy);
                /* A file that is not there is fine, and is not made. */
                CHECK_OK(open_indexed(path, missing, more, &proxy));
                CHECK(ap_warning(proxy, 0) == NULL);
                CHECK(info_of(proxy).points <= 1);
                CHECK_OK(walk_series(proxy, rows(), walk, &err));
                ap_free(proxy);
                CHECK(access(missing, F_OK) != 0);
            }
        /* Built on top, or not wanted at all. */
        CHECK_OK(open_indexed(path, missing, "index_mode=2,index_spacing=65536", &proxy));
        CHECK_INT(info_of(proxy).points, built.points);
        ap_free(proxy);
        CHECK_OK(open_indexed(path, index, "index_mode=2", &proxy));
        CHECK(same_points(kinds[i], info_of(proxy), built));
        ap_free(proxy);
        CHECK_OK(open_indexed(path, index, "index_mode=0", &proxy));
        CHECK_INT(info_of(proxy).points, 0);
        CHECK_WALKS(proxy, rows(), WALK_RANDOM);
        ap_free(proxy);
        CHECK_OK(open_indexed(path, "", "", &proxy));
        CHECK(info_of(proxy).points <= 1);
        ap_free(proxy);
    }
    test_note("");
}

/* One that does not fit: a note, or an error if strict; all is read right. */
static void test_damaged(void)
{
    const char *path = write_series(SERIES_GZIP, rows()), *index = temp_path("damaged.gzidx");
    bytes good = {0};
    save_index(write_series(SERIES_GZIP, rows() - 3), index);
    for (int damage = 0; damage < 5; damage++) {
        ap_proxy *proxy;
        bytes b = {0};
        if (damage == 1)
            save_index(path, index);
        read_file(&b, index);
        if (damage == 1)
            b.data[40] ^= 1;
        if (damage == 2)
            b.size = 20;
        if (damage == 3)
            b.size = 0;
        if (damage == 4) {
            rename(index, temp_path("away"));
            CHECK(mkdir(index, 0700) == 0);
        } else {
            write_bytes(index, &b);
        }
        test_note("damage %d", damage);
        ap_status status = damage == 4 ? AP_ERR_IO : AP_ERR_SEEKINDEX;
        CHECK_STATUS(open_indexed(path, index, "strict=1", &proxy), status);
        CHECK_INT(err.code, status);
        CHECK_PART(err.message, index);
        CHECK_OK(open_indexed(path, index, "", &proxy));
        CHECK_PART(ap_warning(proxy, 0), index);
        CHECK(ap_warning(proxy, 1) == NULL);
        CHECK(info_of(proxy).points <= 1);
        CHECK_WALKS(proxy, rows(), damage % WALKS);
        ap_free(proxy);
        bytes_free(&b);
    }
    test_note("");
    bytes_free(&good);
}

/* Data that have no index file. */
static void test_others(void)
{
    static const int kinds[] = {SERIES_PLAIN, SERIES_BZIP2, SERIES_ZSTD};
    const char *index = temp_path("others.gzidx");
    save_index(write_series(SERIES_GZIP, rows()), index);
    for (int i = 0; i < COUNT(kinds); i++) {
        ap_proxy *proxy;
        const char *path = write_series(kinds[i], rows());
        test_note("%s", series_name(kinds[i]));
        CHECK_OK(open_indexed(path, temp_path("missing.gzidx"), "strict=1", &proxy));
        CHECK_OK(walk_series(proxy, rows(), WALK_BACKWARD, &err));
        ap_free(proxy);
        CHECK_OK(open_indexed(path, index, "", &proxy));
        CHECK((ap_warning(proxy, 0) != NULL) == (kinds[i] != SERIES_PLAIN));
        CHECK_WALKS(proxy, rows(), WALK_RANDOM);
        ap_free(proxy);
    }
    test_note("");
}

/* The folder of the library in the cache folder, which is ours. */
static const char *cache;

static int entries(void)
{
    int count = -2;
    DIR *list = opendir(cache);
    if (!list)
        return 0;
    for (struct dirent *entry; (entry = readdir(list)); count++)
        CHECK(entry->d_name[0] == '.' ? !entry->d_name[1] || !entry->d_name[2]
                                      : strstr(entry->d_name, ".gzidx") != NULL);
    closedir(list);
    return count;
}

static ap_proxy *open_auto(const char *path, const char *more)
{
    ap_proxy *proxy;
    CHECK_OK(open_indexed(path, "auto", more, &proxy));
    CHECK(ap_warning(proxy, 0) == NULL);
    return proxy;
}

/* What one handle finds, the next one has. */
static void test_auto(void)
{
    int made = 0;
    CHECK_INT(entries(), 0);
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = write_series(kind, rows());
        ap_proxy *proxy = open_auto(path, "index_spacing=65536"), *clone;
        int saves = series_is_gzip(kind);
        test_note("%s", series_name(kind));
        info before = info_of(proxy);
        CHECK(before.points <= 1);
        CHECK_OK(read_rows(proxy, rows() / 2, rows() / 2 + 1, &err));
        info half = info_of(proxy);
        clone = ap_clone(proxy);
        ap_free(proxy);
        CHECK_INT(entries(), made);         /* not the last handle */
        ap_free(clone);
        CHECK_INT(entries(), made += saves);

        proxy = open_auto(path, "index_spacing=65536");
        info again = info_of(proxy);
        CHECK(saves ? again.points == half.points : again.points <= 1);
        CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
        info all = info_of(proxy);
        CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
        ap_free(proxy);
        CHECK_INT(entries(), made);

        proxy = open_auto(path, "cache_bytes=0,strict=1");
        CHECK(same_points(kind, info_of(proxy), saves ? all : before));
        CHECK_WALKS(proxy, rows(), WALK_RANDOM);
        ap_free(proxy);

        /* Other data under the same name: a file of their own. */
        bytes b = {0};
        put_series(&b, kind, rows() - 5);
        write_bytes(path, &b);
        set_mtime(path, 1000000000 + kind);
        proxy = open_auto(path, "index_spacing=65536");
        CHECK(info_of(proxy).points <= 1);
        CHECK_WALKS(proxy, rows() - 5, WALK_BACKWARD);
        ap_free(proxy);
        CHECK_INT(entries(), made += saves);
        set_mtime(path, 1000000001 + kind);
        proxy = open_auto(path, "");
        CHECK(info_of(proxy).points <= 1);
        ap_free(proxy);
        CHECK_INT(entries(), made);         /* nothing was learnt */
        bytes_free(&b);
    }
    test_note("");
}

/* What is in the folder is damaged: no one is told, and it is made anew. */
static void test_auto_damaged(void)
{
    const char *path = write_series(SERIES_GZIP, rows());
    char name[1200] = "";
    ap_proxy *proxy = open_auto(path, "index_mode=2,index_spacing=65536");
    info built = info_of(proxy);
    ap_free(proxy);
    DIR *list = opendir(cache);
    struct stat found, newest = {0};
    for (struct dirent *entry; list && (entry = readdir(list));) {
        char one[1200];
        snprintf(one, sizeof one, "%s/%s", cache, entry->d_name);
        if (entry->d_name[0] != '.' && stat(one, &found) == 0 &&
            (found.st_mtim.tv_sec > newest.st_mtim.tv_sec ||
             (found.st_mtim.tv_sec == newest.st_mtim.tv_sec &&
              found.st_mtim.tv_nsec >= newest.st_mtim.tv_nsec))) {
            newest = found;
            memcpy(name, one, sizeof name);
        }
    }
    closedir(list);
    CHECK_INT(newest.st_mode & 0077, newest.st_mode & 0044);
    for (int damage = 0; damage < 3; damage++) {
        write_file(name, "GZIDX\1\0 and no more", damage ? 20 : 0);
        proxy = open_auto(path, damage == 2 ? "strict=1,index_spacing=65536"
                                            : "index_spacing=65536");
        CHECK(info_of(proxy).points <= 1);
        CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
        ap_free(proxy);
        proxy = open_auto(path, "");
        CHECK_INT(info_of(proxy).points, built.points);
        CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
        ap_free(proxy);
    }
}

/* Children that all build and save at once; each reads right. */
static void test_processes(void)
{
    enum { CHILDREN = 6 };
    const char *path = write_series(SERIES_GZIP, rows());
    pid_t children[CHILDREN];
    int before = entries();
    for (int c = 0; c < CHILDREN; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            int wrong = 0;
            for (int turn = 0; turn < 5; turn++) {
                ap_error mine;
                ap_proxy *proxy = open_auto(path, turn % 2 ? "index_spacing=100001"
                                                           : "index_spacing=65536");
                wrong += walk_series(proxy, rows(), (c + turn) % WALKS, &mine) != AP_OK;
                wrong += ap_seekindex_build(proxy, NULL, &mine) != AP_OK;
                ap_free(proxy);
            }
            _exit(wrong ? 1 : 0);
        }
    }
    for (int c = 0; c < CHILDREN; c++) {
        int status = -1;
        CHECK(waitpid(children[c], &status, 0) == children[c]);
        CHECK_INT(status, 0);
    }
    CHECK_INT(entries(), before + 1);
    ap_proxy *proxy = open_auto(path, "strict=1");
    CHECK(info_of(proxy).points > 1);
    CHECK_INT(info_of(proxy).covered, series_bytes(rows()));
    CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
    ap_free(proxy);

    /* A child does not save what its parent opened; the parent does. */
    path = write_series(SERIES_GZIP, rows());
    proxy = open_auto(path, "index_spacing=65536");
    children[0] = fork();
    if (children[0] == 0) {
        ap_error mine;
        int wrong = walk_series(proxy, rows(), WALK_WHOLE, &mine) != AP_OK;
        ap_free(proxy);
        _exit(wrong);
    }
    int status = -1;
    CHECK(waitpid(children[0], &status, 0) == children[0]);
    CHECK_INT(status, 0);
    CHECK_INT(entries(), before + 1);
    CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
    ap_free(proxy);
    CHECK_INT(entries(), before + 2);
}

/* No such folder, none that can be made, and data that are no file. */
static void test_nowhere(void)
{
    const char *path = write_series(SERIES_GZIP, rows());
    const char *home = temp_path("home"), *file = temp_path("file");
    CHECK(mkdir(home, 0700) == 0);
    write_file(file, "", 0);
    for (int place = 0; place < 4; place++) {
        ap_proxy *proxy;
        test_note("place %d", place);
        if (place == 0) {
            setenv("XDG_CACHE_HOME", file, 1);
        } else if (place == 1) {
            unsetenv("XDG_CACHE_HOME");
            unsetenv("HOME");
        } else if (place == 2) {
            setenv("HOME", home, 1);
        } else {
            setenv("XDG_CACHE_HOME", "not/absolute", 1);
        }
        for (int turn = 0; turn < 2; turn++) {
            proxy = open_auto(path, "index_spacing=65536,strict=1");
            CHECK((info_of(proxy).points > 1) == (place == 3 || (place == 2 && turn)));
            CHECK_WALKS(proxy, rows(), WALK_RANDOM);
            ap_free(proxy);
        }
    }
    CHECK(access("not", F_OK) != 0);
    CHECK(access(temp_path("home/.cache/arrayproxy"), F_OK) == 0);

    test_note("memory");
    bytes b = {0};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    put_series(&b, SERIES_GZIP, rows());
    CHECK_OK(ap_options_parse(o, "index_path=auto", &err));
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, o, &proxy, &err));
    CHECK_WALKS(proxy, rows(), WALK_WHOLE);
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
    bytes_free(&b);
    test_note("");
}

/* Of a pair it is the index of the data. */
static void test_pair(void)
{
    const int64_t shape[2] = {ROW, rows()};
    nifti n = nifti_pair(1, AP_LITTLE, AP_INT32, 2, shape);
    bytes data = {0}, b = {0};
    const char *index = temp_path("pair.gzidx");
    ap_proxy *proxy, *other;
    put_counted(&data, ROW * rows(), AP_LITTLE);
    pack_series(&b, SERIES_GZIP, &data);
    write_nifti_header(temp_path("pair.hdr"), &n);
    write_bytes(temp_path("pair.img.gz"), &b);
    proxy = open_series(temp_path("pair.hdr"), "index_mode=2,index_spacing=65536");
    CHECK(info_of(proxy).points > 1);
    CHECK_INT(info_of(proxy).covered, data.size);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    CHECK_OK(open_indexed(temp_path("pair.img.gz"), index, "strict=1", &other));
    CHECK_INT(info_of(other).points, info_of(proxy).points);
    CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
    CHECK_WALKS(other, rows(), WALK_BACKWARD);
    ap_free(proxy);
    ap_free(other);
    bytes_free(&data);
    bytes_free(&b);
}

int main(void)
{
    setenv("XDG_CACHE_HOME", temp_path("xdg"), 1);
    setenv("HOME", temp_path("none"), 1);
    cache = temp_path("xdg/arrayproxy");
    test_given();
    test_damaged();
    test_others();
    test_auto();
    test_auto_damaged();
    test_processes();
    test_pair();
    test_nowhere();
    return test_end("indexpath");
}
