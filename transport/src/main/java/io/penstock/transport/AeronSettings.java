package io.penstock.transport;

import java.util.Objects;

/**
 * How the bytes travel over Aeron. Each open stream maps three terms in {@code /dev/shm}, over UDP three more at the receiver.
 *
 * @param path which way to take; AUTO is IPC to ranks with the same media driver and UDP to others
 */
public record AeronSettings(Path path, IpcSettings ipc, UdpSettings udp) {
    public enum Path {
        AUTO,
        IPC,
        UDP
    }

    /** The largest MTU of Aeron, and the unit in which tensors go through IPC. */
    public static final int MAX_MTU_BYTES = 65_504;

    /** Small terms for heartbeats. */
    public static final int CONTROL_TERM_BYTES = 64 * 1024;

    /** Of every Aeron stream. */
    public static final int TERMS = 3;

    static final int CONTROL_MTU_BYTES = 1408;

    public static final AeronSettings DEFAULT = new AeronSettings(Path.AUTO, IpcSettings.DEFAULT, UdpSettings.DEFAULT);

    public AeronSettings {
        Objects.requireNonNull(path);
        Objects.requireNonNull(ipc);
        Objects.requireNonNull(udp);
    }

    public AeronSettings withPath(Path chosen) {
        return new AeronSettings(chosen, ipc, udp);
    }

    public AeronSettings withIpc(IpcSettings settings) {
        return new AeronSettings(path, settings, udp);
    }

    public AeronSettings withUdp(UdpSettings settings) {
        return new AeronSettings(path, ipc, settings);
    }
}
