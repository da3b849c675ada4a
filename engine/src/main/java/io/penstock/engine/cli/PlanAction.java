package io.penstock.engine.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.cli.PlanCommand.Elsewhere;
import io.penstock.engine.cli.PlanCommand.Request;
import io.penstock.engine.cli.PlanCommand.Run;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.PlanningConfig;
import io.penstock.engine.planning.Budget;
import io.penstock.engine.planning.ClusterPlanner;
import io.penstock.engine.planning.ClusterReport;
import io.penstock.engine.planning.MachinePlan;
import io.penstock.engine.planning.MachinePlanner;
import io.penstock.engine.planning.MachineReport;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** {@code penstock plan}: reads no data and starts no rank. */
final class PlanAction implements Action<Request> {
    private static final double TRILLION = 1e12;

    private final PrintStream out;

    PlanAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(Request request) throws IOException {
        switch (request.subject()) {
            case Run run -> onThisMachine(run.config(), request);
            case Elsewhere elsewhere -> elsewhere(elsewhere.config(), request);
        }
    }

    private void onThisMachine(Config config, Request request) throws IOException {
        List<MachinePlan> plans = MachinePlanner.best(
                config, request.calibrate() ? MachinePlanner.Measure.ANEW : MachinePlanner.Measure.NEVER);
        double ownTokens =
                (double) plans.getFirst().tokens() * config.training().steps();
        Budget budget = new Budget(
                request.tokens().orElse(ownTokens), request.pricePerHour().orElse(0.0));
        MachineReport report = new MachineReport(plans, budget);
        show(request, report::text, report::json, () -> report.html(Map.of()));
    }

    private void elsewhere(PlanningConfig config, Request request) throws IOException {
        Budget budget = new Budget(
                request.tokens().or(() -> config.training().tokens()).orElse(TRILLION),
                request.pricePerHour().or(() -> config.cluster().pricePerHour()).orElse(0.0));
        ClusterReport report = ClusterPlanner.plan(config, budget);
        show(request, report::text, report::json, report::html);
    }

    private void show(Request request, Supplier<String> text, Supplier<ObjectNode> json, Supplier<String> page)
            throws IOException {
        if (request.json()) {
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json.get()));
        } else {
            out.print(text.get());
        }
        Optional<Path> html = request.html();
        if (html.isPresent()) {
            Files.writeString(html.get(), page.get());
            if (!request.json()) {
                out.println("page " + html.get());
            }
        }
    }
}
