package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code cluster.master}. */
public record MasterConfig(
        @Key(
                value = "Host name or address of rank 0. Loopback unless another is given.",
                byDefault = "127.0.0.1",
                pattern = "\\S+")
        String address,

        @Key(
                value = "Port of rank 0; 0 for any free one (not with `launch: environment`).",
                byDefault = "0",
                min = 0,
                max = 65535)
        int port) {
    public MasterConfig {
        Ranges.check(MasterConfig.class, address, port);
    }
}
