package io.penstock.engine.offload;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.TensorTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens stores. */
public final class ShardStores {
    private ShardStores() {}

    /**
     * Throws {@link StoreException} if the file system of {@code directory}, which need not be there yet, has less than {@code bytes} bytes free; {@code owner} is named in
     * the message.
     */
    public static void requireSpace(Path directory, long bytes, String owner) {
        Path existing = directory.toAbsolutePath().normalize();
        while (Files.notExists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        try {
            StoreFile.requireSpace(existing, bytes, owner);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A new store for tensors that the host cannot address: host memory that the device reads and writes itself. Throws {@link StoreException} where there is no room. */
    public static ShardStore open(DeviceCopies device, StoreSettings settings, TensorTable table) {
        return HostMemoryStore.open(settings, table, device::allocateMapped, "fewer ranks on this machine");
    }

    /** A new store of the table's tensors, all zeros. Throws {@link StoreException} where there is no room or no permission. */
    public static ShardStore open(OffloadStoreKind kind, StoreSettings settings, TensorTable table) {
        return switch (kind) {
            case FILES -> MappedFileStore.open(settings, table);
            case CHRONICLE_MAP -> {
                requireChronicleMap();
                yield ChronicleMapStore.open(settings, table);
            }
            case HOST ->
                HostMemoryStore.open(
                        settings, table, HostMemory::new, "cluster.offload_store.kind: files, or more ranks");
        };
    }

    private static void requireChronicleMap() {
        if (ShardStores.class.getResource("/net/openhft/chronicle/map/ChronicleMap.class") == null) {
            throw new StoreException(
                    "cluster.offload_store.kind: chronicle-map, but this Penstock was packed without Chronicle Map (penstock bundle --no-chronicle-map): use kind: files");
        }
    }
}
