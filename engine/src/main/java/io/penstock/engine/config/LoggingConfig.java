package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code logging}. */
public record LoggingConfig(
        @Key(
                value = "Steps between lines where there is no terminal; a terminal shows every step.",
                byDefault = "10",
                min = 1)
        int every,

        @Key(value = "Beginning of the sample that is generated after training.", byDefault = "'The '")
        String samplePrompt,

        @Key(value = "Tokens of that sample; 0 for none.", byDefault = "200", min = 0, max = 1000000)
        int sampleTokens,

        @Key(
                value =
                        "Whether the last step's timeline is kept: `timeline.html` and `trace.json` (Chrome, Perfetto) in the run's folder, beside the predicted one.",
                byDefault = "false")
        boolean timeline) {
    public LoggingConfig {
        Ranges.check(LoggingConfig.class, every, samplePrompt, sampleTokens, timeline);
    }
}
