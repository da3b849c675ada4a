package io.penstock.tensor.cuda;

import java.util.ArrayList;
import java.util.List;
import jcuda.CudaException;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/** Lets a device reach another's memory without the host, where the machine can; copies between devices work either way. */
final class PeerAccess {
    private final CUdevice device;
    /** Of devices that were asked about. */
    private final List<CUcontext> known = new ArrayList<>();

    PeerAccess(CUdevice device) {
        this.device = device;
    }

    /** The context of this device must be the thread's. Asks once. */
    void to(PeerAccess peer, CUcontext context) {
        if (known.contains(context)) {
            return;
        }
        known.add(context);
        int[] can = new int[1];
        JCudaDriver.cuDeviceCanAccessPeer(can, device, peer.device);
        if (can[0] == 0) {
            return;
        }
        try {
            JCudaDriver.cuCtxEnablePeerAccess(context, 0);
        } catch (CudaException e) {
            // another rank on this device asked before
            if (!String.valueOf(e.getMessage()).contains("PEER_ACCESS_ALREADY_ENABLED")) {
                throw e;
            }
        }
    }
}
