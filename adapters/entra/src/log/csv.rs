//! The portal's CSV download: a log without steps and modified properties, those in files of their
//! own that are joined by the change.

use super::ObjectSummary;

/// The three files `ProvisioningLogs`, `ProvisioningLogs_ProvisioningSteps` and
/// `ProvisioningLogs_ModifiedProperties`.
pub fn to_csv(summaries: &[ObjectSummary]) -> [String; 3] {
    let mut logs = line(&[
        "id",
        "activityDateTime",
        "tenantId",
        "jobId",
        "cycleId",
        "changeId",
        "provisioningAction",
        "durationInMilliseconds",
        "initiatedBy.id",
        "initiatedBy.displayName",
        "initiatedBy.initiatorType",
        "servicePrincipal.id",
        "servicePrincipal.displayName",
        "sourceSystem.id",
        "sourceSystem.displayName",
        "targetSystem.id",
        "targetSystem.displayName",
        "sourceIdentity.id",
        "sourceIdentity.displayName",
        "sourceIdentity.identityType",
        "targetIdentity.id",
        "targetIdentity.displayName",
        "targetIdentity.identityType",
        "provisioningStatusInfo.status",
        "provisioningStatusInfo.errorInformation.errorCode",
        "provisioningStatusInfo.errorInformation.reason",
    ]);
    let mut steps = line(&["changeId", "name", "provisioningStepType", "status", "description"]);
    let mut modified = line(&["changeId", "displayName", "oldValue", "newValue"]);
    for s in summaries {
        let error = s.provisioning_status_info.error_information.as_ref();
        let (id, change) = (s.id.to_string(), s.change_id.to_string());
        logs.push_str(&line(&[
            &id,
            &s.activity_date_time.to_rfc3339(),
            &s.tenant_id.to_string(),
            &s.job_id,
            &s.cycle_id.to_string(),
            &change,
            &word(&s.provisioning_action),
            &s.duration_in_milliseconds.to_string(),
            &s.initiated_by.id,
            &s.initiated_by.display_name,
            s.initiated_by.initiator_type.unwrap_or_default(),
            &s.service_principal.id,
            &s.service_principal.display_name,
            &s.source_system.id,
            &s.source_system.display_name,
            &s.target_system.id,
            &s.target_system.display_name,
            &s.source_identity.id,
            &s.source_identity.display_name,
            s.source_identity.identity_type,
            &s.target_identity.id,
            &s.target_identity.display_name,
            s.target_identity.identity_type,
            &word(&s.provisioning_status_info.status),
            error.map(|e| e.error_code.as_str()).unwrap_or_default(),
            error.map(|e| e.reason.as_str()).unwrap_or_default(),
        ]));
        for step in &s.provisioning_steps {
            steps.push_str(&line(&[
                &change,
                step.name,
                &word(&step.provisioning_step_type),
                &word(&step.status),
                &step.description,
            ]));
        }
        for property in &s.modified_properties {
            let value = |v: &Option<String>| v.clone().unwrap_or_default();
            modified.push_str(&line(&[
                &change,
                &property.display_name,
                &value(&property.old_value),
                &value(&property.new_value),
            ]));
        }
    }
    [logs, steps, modified]
}

/// A unit variant as JSON calls it.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// RFC 4180.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
