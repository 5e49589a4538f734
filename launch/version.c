/* What this build is, in one line: known when it was compiled, so that it can be said without
 * MPI_Init (on a login node). */
#include <H5public.h>
#include <dnnl_version.h>
#include <mpi.h>

#include "launch/verb.h"
#include "version.h" /* generated: TROUPE_VERSION, TROUPE_COMMIT */

#define TEXT_OF_(x)     #x
#define TEXT_OF(x)      TEXT_OF_(x)
#define DOTTED(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

#if defined OMPI_MAJOR_VERSION
#define MPI_NAME "Open MPI " DOTTED(OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION)
#elif defined MPICH_VERSION
#define MPI_NAME "MPICH " MPICH_VERSION
#else
#define MPI_NAME "MPI " TEXT_OF(MPI_VERSION) "." TEXT_OF(MPI_SUBVERSION)
#endif

#if defined __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *const troupe_version =
    "troupe " TROUPE_VERSION " (" TROUPE_COMMIT "), " COMPILER ", " MPI_NAME
    ", HDF5 " DOTTED(H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE) ", oneDNN " DOTTED(
        DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH);
