/*
 * OpenMPI beside Penstock. Prints one line of numbers from rank 0.
 *   mpi_peer stream BYTES COUNT      bytes per second from rank 1 to rank 0, two messages under way
 *   mpi_peer trip BYTES COUNT        round trip in microseconds: p50 p99 p99.9
 *   mpi_peer allreduce BYTES COUNT   seconds of one all-reduce of f32 in place
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double stream(int rank, char *buffers[2], int bytes, int count) {
    MPI_Request requests[2];
    double start = 0;
    for (int round = 0; round < 2; round++) {
        int messages = round == 0 ? 2 : count;
        MPI_Barrier(MPI_COMM_WORLD);
        start = MPI_Wtime();
        for (int i = 0; i < messages + 2; i++) {
            if (i >= 2) MPI_Wait(&requests[i % 2], MPI_STATUS_IGNORE);
            if (i < messages && rank == 1) MPI_Isend(buffers[i % 2], bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, &requests[i % 2]);
            if (i < messages && rank == 0) MPI_Irecv(buffers[i % 2], bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, &requests[i % 2]);
        }
    }
    return (double)bytes * count / (MPI_Wtime() - start);
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
    if (argc != 4) return 2;
    int bytes = atoi(argv[2]), count = atoi(argv[3]);
    char *buffers[2];
    for (int i = 0; i < 2; i++) {
        buffers[i] = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
        memset(buffers[i], 0, bytes);
    }
    if (strcmp(argv[1], "trip") == 0) {
        trip(rank, buffers[0], bytes, count);
    } else {
        double result = strcmp(argv[1], "stream") == 0 ? stream(rank, buffers, bytes, count)
                                                       : allreduce(buffers[0], bytes, count);
        if (rank == 0) printf("%.9g\n", result);
    }
    MPI_Finalize();
    return 0;
}
