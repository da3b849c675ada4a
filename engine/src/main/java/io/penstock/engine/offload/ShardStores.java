package io.penstock.engine.offload;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.tensor.TensorTable;

/** Opens stores. */
public final class ShardStores {
    private ShardStores() {}

    /** A new store of the table's tensors, all zeros. Throws {@link StoreException} where there is no room or no permission. */
    public static ShardStore open(OffloadStoreKind kind, StoreSettings settings, TensorTable table) {
        return switch (kind) {
            case FILES -> MappedFileStore.open(settings, table);
            case CHRONICLE_MAP -> ChronicleMapStore.open(settings, table);
            case HOST -> HostMemoryStore.open(settings, table);
        };
    }
}
