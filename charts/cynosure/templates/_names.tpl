{{- define "cynosure.labels" -}}
app.kubernetes.io/name: cynosure
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "cynosure.selector" -}}
app.kubernetes.io/name: cynosure
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cynosure.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
