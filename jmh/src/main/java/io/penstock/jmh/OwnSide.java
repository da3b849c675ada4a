package io.penstock.jmh;

import io.penstock.tensor.Backend;
import io.penstock.tensor.cpu.CpuBackend;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The CPU backend of a benchmark, and its tensors. */
@State(Scope.Benchmark)
public class OwnSide {
    Backend backend;
    BenchmarkMemory memory;

    @Setup
    public void setup(Setting setting) {
        backend = new CpuBackend(setting.threads);
        memory = new BenchmarkMemory(backend);
    }

    @TearDown
    public void tearDown() {
        memory.close();
        backend.close();
    }
}
