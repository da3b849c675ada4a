package io.penstock.engine.bundle;

import java.nio.file.Path;
import java.util.List;

/**
 * What of a bundle may be left out.
 *
 * @param gpu JCuda and our kernels: {@code cluster.device: cuda}
 * @param chronicleMap Chronicle Map and the compiler that it runs: {@code cluster.offload_store.kind: chronicle-map}
 */
public record BundleParts(boolean gpu, boolean chronicleMap) {
    public static final BundleParts ALL = new BundleParts(true, true);

    private static final List<String> OF_GPU = List.of("jcuda-", "jcublas-");

    /** Chronicle Map and what nothing else needs. */
    private static final List<String> OF_CHRONICLE_MAP = List.of("chronicle-", "compiler-", "javapoet-", "posix-");

    boolean has(Path jar) {
        String name = jar.getFileName().toString();
        return (gpu || OF_GPU.stream().noneMatch(name::startsWith))
                && (chronicleMap || OF_CHRONICLE_MAP.stream().noneMatch(name::startsWith));
    }
}
