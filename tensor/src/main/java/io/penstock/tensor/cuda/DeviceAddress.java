package io.penstock.tensor.cuda;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import jcuda.NativePointerObject;
import jcuda.driver.CUdeviceptr;

/**
 * A JCuda pointer that can be pointed elsewhere: JCuda's own are made anew for every address, and a step allocates nothing. JCuda hands native code the
 * field that is set here.
 */
final class DeviceAddress extends CUdeviceptr {
    private static final VarHandle NATIVE_POINTER;

    static {
        try {
            NATIVE_POINTER = MethodHandles.privateLookupIn(NativePointerObject.class, MethodHandles.lookup())
                    .findVarHandle(NativePointerObject.class, "nativePointer", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    DeviceAddress at(long address) {
        NATIVE_POINTER.set(this, address);
        return this;
    }

    long address() {
        return getNativePointer() + getByteOffset();
    }
}
