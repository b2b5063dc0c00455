{{- define "headgate.name" -}}
{{- if contains "headgate" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-headgate" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "headgate.selector" -}}
app.kubernetes.io/name: headgate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "headgate.labels" -}}
{{ include "headgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The listeners with TLS: those of readers, unless others are named. */}}
{{- define "headgate.tlsListeners" -}}
{{- dig "tls" "listeners" (list "api" "grpc") .Values.config | toJson -}}
{{- end }}

{{- define "headgate.adminScheme" -}}
{{ has "admin" (include "headgate.tlsListeners" . | fromJsonArray) | ternary "HTTPS" "HTTP" }}
{{- end }}

{{/* headgate.yaml: what the user said, and what only the chart can know. */}}
{{- define "headgate.config" -}}
{{- $tls := dict "cert_file" "/etc/headgate/tls/tls.crt" "key_file" "/etc/headgate/tls/tls.key" "listeners" (include "headgate.tlsListeners" . | fromJsonArray) -}}
{{- $own := dict "data_dir" "/var/lib/headgate" "listen" (dict "webhook" ":8080" "api" ":8081" "grpc" ":9090" "admin" ":9100") "tls" $tls -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) $own) -}}
{{- end }}
