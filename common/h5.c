/* See h5.h. */
#include "common/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/h5_memory.h"
#include "common/memory.h"

/* HDF5 takes a lock on each file, which fails on file systems without locks; the run directory has
 * a lock of its own. */
static void begin(void)
{
    static bool begun;
    if (begun) return;
    begun = true;
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *text)
{
    if (n == 0) snprintf(text, 400, "%s", e->desc ? e->desc : "no reason given");
    return 0;
}

int h5_fail(const char *path, const char *doing)
{
    char why[400] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, why);
    H5Eclear2(H5E_DEFAULT);
    return fail("%s: %s: HDF5: %s", path, doing, why);
}

/* ---- writing --------------------------------------------------------------------------------- */

hid_t h5_create(const char *path)
{
    begin();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_driver(access, h5_memory_driver(), NULL);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Pset_alignment(access, 4096, 4096);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (file < 0) h5_fail(path, "cannot be created");
    return file;
}

static int write_new(const char *path, const H5Memory *m)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    int rc = fd < 0 || h5_memory_write(m, fd) || fsync(fd)
                 ? fail("%s: cannot be written: %s", path, strerror(errno))
                 : 0;
    if (fd >= 0) close(fd);
    return rc;
}

int h5_close_written(hid_t file, const char *path, bool keep)
{
    H5Memory m;
    int rc = h5_memory_close(file, &m) ? h5_fail(path, "cannot be closed") : 0;
    if (!rc && keep) rc = write_new(path, &m);
    h5_memory_free(&m);
    return rc;
}

hid_t h5_text_type(size_t n)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, n ? n : 1);
    H5Tset_cset(t, H5T_CSET_UTF8);
    H5Tset_strpad(t, H5T_STR_NULLPAD);
    return t;
}

static void pack_chunks(hid_t create, int n_dims, const hsize_t *dims)
{
    hsize_t chunk[4];
    for (int i = 0; i < n_dims; i++) chunk[i] = dims[i] ? dims[i] : 1;
    if (chunk[0] > 65536) chunk[0] = 65536;
    H5Pset_chunk(create, n_dims, chunk);
    H5Pset_shuffle(create);
    H5Pset_deflate(create, 1);
    H5Pset_fletcher32(create);
}

int h5_write(hid_t file, const char *path, const char *name, hid_t type, int n_dims,
             const hsize_t *dims, const void *data, bool packed)
{
    bool empty = false;
    for (int i = 0; i < n_dims; i++) empty |= !dims[i];
    hid_t space = n_dims ? H5Screate_simple(n_dims, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    if (packed && !empty) pack_chunks(create, n_dims, dims);
    hid_t set = H5Dcreate2(file, name, type, space, link, create, H5P_DEFAULT);
    int rc = 0;
    if (set < 0 || (!empty && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        rc = h5_fail(path, name);
    if (set >= 0 && H5Dclose(set) < 0 && !rc) rc = h5_fail(path, name);
    H5Pclose(link);
    H5Pclose(create);
    H5Sclose(space);
    return rc;
}

int h5_write_text(hid_t file, const char *path, const char *name, const char *text)
{
    hid_t type = h5_text_type(strlen(text));
    int rc = h5_write(file, path, name, type, 0, NULL, text, false);
    H5Tclose(type);
    return rc;
}

int h5_write_texts(hid_t file, const char *path, const char *name, const char *const *texts,
                   size_t n)
{
    Buffer all = {0};
    int64_t *offset = NEW(int64_t, n + 1);
    char offset_name[128];
    snprintf(offset_name, sizeof offset_name, "%s_offset", name);
    for (size_t i = 0; i < n; i++) {
        if (texts[i]) buffer_text(&all, texts[i]);
        offset[i + 1] = (int64_t)all.size;
    }
    hsize_t bytes = all.size, ends = n + 1;
    int rc = h5_write(file, path, name, H5T_NATIVE_UINT8, 1, &bytes, all.data, true);
    if (!rc) rc = h5_write(file, path, offset_name, H5T_NATIVE_INT64, 1, &ends, offset, true);
    buffer_free(&all);
    mem_free(offset);
    return rc;
}

static int note(hid_t file, const char *path, const char *name, hid_t type, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int rc = a < 0 || H5Awrite(a, type, value) < 0 ? h5_fail(path, name) : 0;
    if (a >= 0) H5Aclose(a);
    H5Sclose(space);
    return rc;
}

int h5_note_int(hid_t file, const char *path, const char *name, int64_t value)
{
    return note(file, path, name, H5T_NATIVE_INT64, &value);
}

int h5_note_text(hid_t file, const char *path, const char *name, const char *text)
{
    hid_t type = h5_text_type(strlen(text));
    int rc = note(file, path, name, type, text);
    H5Tclose(type);
    return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

hid_t h5_open(const char *path)
{
    begin();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file < 0) h5_fail(path, "cannot be opened");
    return file;
}

void h5_close(hid_t file)
{
    H5Fclose(file);
    H5Eclear2(H5E_DEFAULT);
}

bool h5_has(hid_t file, const char *name)
{
    bool has = H5Lexists(file, name, H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    return has;
}

/* Every part of the name must be a hard link: a soft or external one leads elsewhere. */
static bool all_hard(hid_t file, const char *name)
{
    char part[256];
    size_t n = strlen(name);
    if (n >= sizeof part) return false;
    for (size_t i = 1; i <= n; i++) {
        if (name[i] && name[i] != '/') continue;
        memcpy(part, name, i);
        part[i] = 0;
        H5L_info_t info;
        if (H5Lget_info(file, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
            return false;
    }
    return true;
}

static const char *foreign(hid_t set, hid_t type)
{
    const char *what = NULL;
    hid_t create = H5Dget_create_plist(set), has = H5Dget_type(set);
    H5D_layout_t layout = create < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(create);
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT)
        what = "is stored elsewhere (virtual)";
    else if (H5Pget_external_count(create) != 0)
        what = "is stored in another file";
    else if (H5Tget_class(has) != H5Tget_class(type) || H5Tget_size(has) != H5Tget_size(type))
        what = "has another type of number";
    for (int i = 0; !what && i < H5Pget_nfilters(create); i++) {
        unsigned flags;
        size_t n = 0;
        H5Z_filter_t f = H5Pget_filter2(create, (unsigned)i, &flags, &n, NULL, 0, NULL, NULL);
        if (f != H5Z_FILTER_SHUFFLE && f != H5Z_FILTER_DEFLATE && f != H5Z_FILTER_FLETCHER32)
            what = "goes through a filter that we do not use";
    }
    if (has >= 0) H5Tclose(has);
    if (create >= 0) H5Pclose(create);
    return what;
}

/* How many numbers of a dataset of rank 1 or 2; -1: another rank. */
static long long extent(hid_t set)
{
    hid_t space = H5Dget_space(set);
    int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    long long n = rank == 1 || rank == 2 ? (long long)H5Sget_simple_extent_npoints(space) : -1;
    if (space >= 0) H5Sclose(space);
    return n;
}

static int read_plain(hid_t set, const char *path, const char *name, hid_t type, size_t most,
                      void **data, size_t *n)
{
    const char *what = foreign(set, type);
    if (what) return fail("%s: %s %s: not a file of ours", path, name, what);
    long long length = extent(set);
    if (length < 0) return fail("%s: %s: neither a list nor a table", path, name);
    if ((size_t)length > most)
        return fail("%s: %s has %lld numbers, at most %zu are expected", path, name, length, most);
    *data = mem_zeroed((size_t)length + 1, H5Tget_size(type));
    *n = (size_t)length;
    if (!length || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) >= 0) return 0;
    mem_free(*data);
    *data = NULL;
    return h5_fail(path, name);
}

int h5_read(hid_t file, const char *path, const char *name, hid_t type, size_t most, void **data,
            size_t *n)
{
    *data = NULL;
    *n = 0;
    if (!all_hard(file, name)) {
        H5Eclear2(H5E_DEFAULT);
        return fail("%s: %s is missing, or a link to elsewhere", path, name);
    }
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0) return h5_fail(path, name);
    int rc = read_plain(set, path, name, type, most, data, n);
    H5Dclose(set);
    return rc;
}
