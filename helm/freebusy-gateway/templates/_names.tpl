{{- define "freebusy.name" -}}
{{- .Values.nameOverride | default (ternary .Release.Name (printf "%s-freebusy" .Release.Name) (contains "freebusy" .Release.Name)) | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "freebusy.selector" -}}
app.kubernetes.io/name: freebusy-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "freebusy.labels" -}}
{{ include "freebusy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "freebusy.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "freebusy.name" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{- /* The Secret with what env: and file: name; empty when there is none. */ -}}
{{- define "freebusy.secret" -}}
{{- if .Values.secret.existingSecret }}{{ .Values.secret.existingSecret }}{{ else if .Values.secret.values }}{{ include "freebusy.name" . }}-secrets{{ end -}}
{{- end }}

{{- /* What is configured, over what a pod needs. */ -}}
{{- define "freebusy.config" -}}
{{- $listen := dict "host" "0.0.0.0" "port" 8080 -}}
{{- if .Values.tls.existingSecret }}{{ $_ := set $listen "tls" (dict "certFile" "/run/tls/tls.crt" "keyFile" "/run/tls/tls.key") }}{{ end -}}
{{- $needed := dict "listen" $listen "management" (dict "host" "0.0.0.0" "port" 9090) -}}
{{- if dig "cache" "shared" false .Values.config -}}
{{- $replicas := ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled -}}
{{- $_ := set $needed "cache" (dict "shared" (dict "replicas" (int $replicas))) -}}
{{- end -}}
{{- mergeOverwrite $needed (deepCopy .Values.config) | toYaml -}}
{{- end }}
