package io.penstock.engine.cli.doctor;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.penstock.engine.cli.doctor.Diagnosis.Status;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock doctor}: ends with 3 if training can't work on this machine. */
@Command(
        name = "doctor",
        description = "Tells what this machine has and lacks for training, and how to mend it.",
        mixinStandardHelpOptions = true)
public final class DoctorCommand implements Callable<Integer> {
    private static final int UNFIT = 3;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        List<Diagnosis> diagnoses = new ArrayList<>(JvmDiagnoses.all());
        diagnoses.addAll(MachineDiagnoses.all());
        diagnoses.addAll(LibraryDiagnoses.all());
        diagnoses.addAll(GpuDiagnoses.all());
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
            out.println(mapper.writeValueAsString(diagnoses));
        } else {
            diagnoses.forEach(diagnosis -> print(out, diagnosis));
        }
        out.flush();
        return diagnoses.stream().anyMatch(diagnosis -> diagnosis.status() == Status.BAD) ? UNFIT : 0;
    }

    private static void print(PrintWriter out, Diagnosis diagnosis) {
        String mark = switch (diagnosis.status()) {
            case OK -> "ok";
            case MISSING -> "--";
            case BAD -> "BAD";
        };
        out.printf("%-4s %-11s %s%n", mark, diagnosis.name(), diagnosis.found());
        if (!diagnosis.mend().isEmpty()) {
            out.printf("%-16s -> %s%n", "", diagnosis.mend());
        }
    }
}
