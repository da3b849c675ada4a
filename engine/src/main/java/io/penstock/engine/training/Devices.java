package io.penstock.engine.training;

import io.penstock.engine.config.DeviceKind;
import io.penstock.tensor.cuda.CudaProbe;
import io.penstock.tensor.cuda.CudaUnavailableException;

/** Whether this machine and this version can train on a kind of device, before anything starts. */
public final class Devices {
    private Devices() {}

    /** @throws CudaUnavailableException with what is missing and its mend: exit code 3 */
    public static void require(DeviceKind device) {
        switch (device) {
            case CPU -> {}
            case CUDA -> requireCuda(CudaProbe.report());
        }
    }

    static void requireCuda(CudaProbe.Report report) {
        report.problem().ifPresent(problem -> {
            throw new CudaUnavailableException("cluster.device: cuda cannot be used here: " + problem
                    + " (penstock doctor shows all that was looked for)");
        });
        throw new CudaUnavailableException(
                "cluster.device: cuda: " + report.devices().getFirst()
                        + " is there, but this version does not train on it yet: the backend computes, the trainer"
                        + " still keeps activations and parameters in host memory; use cluster.device: cpu");
    }
}
