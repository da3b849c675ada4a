package io.penstock.tensor.reference;

import io.penstock.tensor.Backend;
import io.penstock.tensor.contract.BackendContract;

/** Against itself, so its numbers prove nothing here; its memory, refusals and bits do, and that every case of the contract is a legal call. */
final class ReferenceBackendContractTest extends BackendContract {
    @Override
    protected Backend createBackend() {
        return new ReferenceBackend();
    }

    @Override
    protected boolean computesF64() {
        return true;
    }
}
