{{- /* What the schema cannot see: settings that contradict one another. All of it is said at once. */ -}}
{{- define "freebusy.conflicts" -}}
{{- $said := list -}}
{{- $config := include "freebusy.config" . | fromYaml -}}
{{- $needed := deepCopy .Values.config -}}
{{- with $needed.doctor }}{{ $_ := unset . "signIns" }}{{ end -}}
{{- /* A next secret may come later, and only the doctor has a use for its own. */ -}}
{{- $text := regexReplaceAll "\"next[A-Za-z]+\":\"[^\"]*\"" (toJson $needed) "" -}}
{{- $pods := ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled | int -}}
{{- if and .Values.config .Values.existingConfigSecret }}
{{- $said = append $said "config and existingConfigSecret are both set. Keep one: the configuration here, or in a Secret of yours." }}
{{- end }}
{{- if not (or .Values.config .Values.existingConfigSecret) }}
{{- $said = append $said "config is empty. Set it (freebusy.example.yaml is a start), or existingConfigSecret." }}
{{- end }}
{{- if and .Values.secret.existingSecret .Values.secret.values }}
{{- $said = append $said "secret.existingSecret and secret.values are both set. Keep one: existingSecret, outside of a trial." }}
{{- end }}
{{- $names := list }}
{{- range regexFindAll "\"(env:|file:/run/secrets/freebusy/)[^\"]+\"" $text -1 }}
{{- $names = append $names (. | trimAll "\"" | trimPrefix "env:" | trimPrefix "file:/run/secrets/freebusy/") }}
{{- end }}
{{- range .Values.extraEnv }}{{ $names = without $names .name }}{{ end }}
{{- $names = uniq $names }}
{{- if and $names (not .Values.secret.existingSecret) (not .Values.secret.values) }}
{{- $said = append $said (printf "config names secrets (%s) and there are none. Set secret.existingSecret to a Secret with these keys: kubectl create secret generic NAME --from-literal=%s=…" (join ", " $names) (first $names)) }}
{{- else if .Values.secret.values }}
{{- range $names }}{{ if not (hasKey $.Values.secret.values .) }}
{{- $said = append $said (printf "config names the secret %s, which secret.values does not have." .) }}
{{- end }}{{ end }}
{{- end }}
{{- if eq (int $config.listen.port) (int $config.management.port) }}
{{- $said = append $said (printf "config.listen.port and config.management.port are both %d. Choose two." (int $config.listen.port)) }}
{{- end }}
{{- range $name := list "listen" "management" }}
{{- $host := get (get $config $name) "host" }}
{{- if or (hasPrefix "127." $host) (eq $host "localhost") (eq $host "::1") }}
{{- $said = append $said (printf "config.%s.host is %s, where nobody outside the pod can reach it. Leave it out." $name $host) }}
{{- end }}
{{- end }}
{{- range $i, $directory := $config.directories }}
{{- with $directory.snapshotFile }}
{{- if not (hasPrefix "/var/lib/freebusy/" .) }}
{{- $said = append $said (printf "config.directories.%d.snapshotFile is %s, and only /var/lib/freebusy/ can be written." $i .) }}
{{- else if not $.Values.snapshots.enabled }}
{{- $said = append $said (printf "config.directories.%d.snapshotFile needs snapshots.enabled: nothing else can be written." $i) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.snapshots.enabled .Values.snapshots.existingClaim (gt $pods 1) }}
{{- $said = append $said (printf "snapshots.existingClaim is one folder for up to %d pods, and a snapshot belongs to one gateway alone. Leave it out, or run one." $pods) }}
{{- end }}
{{- with .Values.networkPolicy }}
{{- if and .enabled $.Values.serviceMonitor.enabled (not .monitoring) }}
{{- $said = append $said "serviceMonitor.enabled is of no use while nobody may reach the management listener. Name Prometheus in networkPolicy.monitoring." }}
{{- end }}
{{- if and .enabled (not .extraEgress) }}
{{- $shared := dig "cache" "shared" dict $config }}
{{- $otherwise := ternary 26379 6379 (eq (get $shared "topology") "sentinel") }}
{{- $open := list }}{{ range .egressPorts }}{{ $open = append $open (int .) }}{{ end }}
{{- range $shared.urls }}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" (urlParse .).host) | default $otherwise | int }}
{{- if not (has $port $open) }}
{{- $said = append $said (printf "config.cache.shared.urls has %s, and networkPolicy lets no pod reach port %d. Add it to networkPolicy.egressPorts." . $port) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- $said = append $said "autoscaling.minReplicas is greater than maxReplicas." }}
{{- end }}
{{- if $said }}{{ fail (printf "\n  - %s" (join "\n  - " $said)) }}{{ end }}
{{- end }}
