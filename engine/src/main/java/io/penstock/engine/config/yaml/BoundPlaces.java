package io.penstock.engine.config.yaml;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Where each key was written, and which keys could not be read. */
final class BoundPlaces {
    private final Problems problems;
    private final Map<String, Place> places = new HashMap<>();
    private final Set<String> unreadable = new HashSet<>();

    BoundPlaces(Problems problems) {
        this.problems = problems;
    }

    void written(String key, Place place) {
        places.put(key, place);
    }

    /** Reports that a key could not be read, and keeps back findings that depend on it. */
    void unreadable(String key, Place place, String message) {
        unreadable.add(key);
        problems.add(place, message);
    }

    void report(Finding finding) {
        if (finding.keys().stream().noneMatch(this::isUnreadable)) {
            problems.add(placeOf(finding.keys()), finding.message());
        }
    }

    private boolean isUnreadable(String key) {
        String path = key;
        while (!path.isEmpty() && !unreadable.contains(path)) {
            path = parent(path);
        }
        return !path.isEmpty();
    }

    /** An override that takes part is to blame; else the first key that was written; else the nearest section. */
    private Place placeOf(List<String> keys) {
        List<Place> written =
                keys.stream().filter(places::containsKey).map(places::get).toList();
        Optional<Place> override =
                written.stream().filter(place -> !place.inFile()).findFirst();
        if (override.isPresent()) {
            return override.get();
        }
        if (!written.isEmpty()) {
            return written.get(0);
        }
        String path = keys.get(0);
        while (!path.isEmpty() && !places.containsKey(path)) {
            path = parent(path);
        }
        return places.getOrDefault(path, Place.of(keys.get(0)));
    }

    private static String parent(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('.')));
    }
}
