package io.penstock.tensor.cuda;

import java.util.List;
import java.util.Optional;

/**
 * What NVML says of one device at one moment; what a device does not report is absent.
 *
 * @param index of the machine, whatever CUDA_VISIBLE_DEVICES says
 * @param utilizationPercent of the last sampling period in which a kernel ran
 * @param throttleReasons why clocks are below what they could be, in NVML's words
 */
public record GpuReading(
        int index,
        String name,
        Optional<Integer> utilizationPercent,
        Optional<Long> memoryUsedBytes,
        Optional<Long> memoryTotalBytes,
        Optional<Integer> temperatureCelsius,
        Optional<Double> powerWatts,
        List<String> throttleReasons) {}
