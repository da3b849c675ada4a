/*
 * OpenMPI beside Penstock. Prints one line of numbers from rank 0.
 *   mpi_peer stream BYTES MILLIS BUFFERS   bytes per second from rank 1 to rank 0, eight messages under way, so many buffers in turn,
 *                                          each rank on a core of its own, measured for so long at least
 *   mpi_peer trip BYTES COUNT 1            round trip in microseconds: p50 p99 p99.9
 *   mpi_peer allreduce BYTES COUNT 1       seconds of one all-reduce of f32 in place
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#define WINDOW 8

static void pin(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) != 0) {
        perror("sched_setaffinity");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

/* Seconds that so many messages take. */
static double messages(int rank, char *memory, int buffers, int bytes, int count) {
    MPI_Request requests[WINDOW];
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    for (int i = 0; i < count + WINDOW; i++) {
        MPI_Request *request = &requests[i % WINDOW];
        char *buffer = memory + (size_t)(i % buffers) * bytes;
        if (i >= WINDOW && i - WINDOW < count) MPI_Wait(request, MPI_STATUS_IGNORE);
        if (i < count && rank == 1) MPI_Isend(buffer, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, request);
        if (i < count && rank == 0) MPI_Irecv(buffer, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, request);
    }
    return MPI_Wtime() - start;
}

/* The last of rounds of ever more messages, the only one that takes long enough. */
static double stream(int rank, char *memory, int buffers, int bytes, double at_least) {
    int count = buffers;
    double rate = 0;
    pin(rank);
    while (count > 0) {
        double seconds = messages(rank, memory, buffers, bytes, count);
        double growth = seconds < at_least ? 1.2 * at_least / seconds : 0;
        rate = (double)bytes * count / seconds;
        count = growth == 0 ? 0 : growth > 16 ? 16 * count : (int)(growth * count) + 1;
        MPI_Bcast(&count, 1, MPI_INT, 0, MPI_COMM_WORLD);
    }
    return rate;
}

static void trip(int rank, char *buffer, int bytes, int count) {
    double *us = malloc(count * sizeof(double));
    for (int i = -count / 2; i < count; i++) {
        double start = MPI_Wtime();
        if (rank == 0) {
            MPI_Send(buffer, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
            MPI_Recv(buffer, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else if (rank == 1) {
            MPI_Recv(buffer, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(buffer, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
        }
        us[i < 0 ? 0 : i] = (MPI_Wtime() - start) * 1e6;
    }
    if (rank == 0) {
        qsort(us, count, sizeof(double), by_value);
        printf("%f %f %f\n", us[count / 2], us[(int)(count * 0.99)], us[(int)(count * 0.999)]);
    }
    free(us);
}

static double allreduce(char *buffer, int bytes, int count) {
    double start = 0;
    for (int i = -2; i < count; i++) {
        if (i == 0) {
            MPI_Barrier(MPI_COMM_WORLD);
            start = MPI_Wtime();
        }
        MPI_Allreduce(MPI_IN_PLACE, buffer, bytes / 4, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    return (MPI_Wtime() - start) / count;
}

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc != 5) return 2;
    int bytes = atoi(argv[2]), count = atoi(argv[3]), buffers = atoi(argv[4]);
    size_t all = (size_t)bytes * buffers;
    char *memory = aligned_alloc(4096, (all + 4095) / 4096 * 4096);
    memset(memory, 0, all);
    if (strcmp(argv[1], "trip") == 0) {
        trip(rank, memory, bytes, count);
    } else {
        double result = strcmp(argv[1], "stream") == 0 ? stream(rank, memory, buffers, bytes, count / 1e3)
                                                       : allreduce(memory, bytes, count);
        if (rank == 0) printf("%.9g\n", result);
    }
    MPI_Finalize();
    return 0;
}
