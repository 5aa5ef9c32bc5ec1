//! The section `licences`: which licence a job comes with.

use crate::directory::Licence;
use crate::pattern::matches;
use crate::person::Job;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which licence a job comes with: the first rule that matches says so.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceRules {
    /// From the first to the last.
    #[serde(default)]
    pub rules: Vec<LicenceRule>,
    /// Where no rule matches, and for who joins without a known job. Absent: such a licence is left alone.
    #[serde(default)]
    pub default: Option<Licence>,
    /// What is left of a licence that the audit asks back (`license.reclaim.requested`).
    #[serde(default = "least")]
    pub reclaim: Licence,
}

/// One rule: every member that is there must match, by one of its values. `*` stands for any characters; upper and lower
/// case are the same. What HR has not told of a job matches nothing.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceRule {
    /// Codes of jobs.
    #[serde(default)]
    pub job_code: Option<Vec<String>>,
    /// Departments.
    #[serde(default)]
    pub department: Option<Vec<String>>,
    /// Locations.
    #[serde(default)]
    pub location: Option<Vec<String>>,
    /// Kinds of employment.
    #[serde(default)]
    pub employment_type: Option<Vec<String>>,
    /// The licence that such a job comes with.
    pub licence: Licence,
}

fn least() -> Licence {
    Licence::Basic
}

impl LicenceRules {
    /// The licence of a job; `None` where nothing is known of the job, or no rule matches and there is no default.
    #[must_use]
    pub fn of(&self, job: &Job) -> Option<Licence> {
        if job.is_unknown() {
            return None;
        }
        self.rules.iter().find(|rule| rule.matches(job)).map(|rule| rule.licence).or(self.default)
    }
}

impl LicenceRule {
    fn matches(&self, job: &Job) -> bool {
        let fits = |wanted: &Option<Vec<String>>, value: &Option<String>| match (wanted, value) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(value)) => {
                let value = value.to_lowercase();
                wanted.iter().any(|pattern| matches(&pattern.trim().to_lowercase(), &value))
            }
        };
        fits(&self.job_code, &job.code)
            && fits(&self.department, &job.department)
            && fits(&self.location, &job.location)
            && fits(&self.employment_type, &job.employment_type)
    }

    /// A rule without a member matches everybody: that is what `default` is for.
    pub(super) fn is_empty(&self) -> bool {
        let members = [&self.job_code, &self.department, &self.location, &self.employment_type];
        members.iter().all(|member| member.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_wins() {
        let rules: LicenceRules = serde_json::from_str(
            r#"{"rules":[
                {"employment_type":["contractor"],"licence":"Basic"},
                {"job_code":["ENG-*","mgr"],"licence":"Pro"},
                {"department":["Sales"],"location":["Paris","Lyon"],"licence":"Plus"}
            ],"default":"Basic"}"#,
        )
        .unwrap();
        let job = |code: &str, department: &str, location: &str, kind: &str| Job {
            code: Job::value(code),
            department: Job::value(department),
            location: Job::value(location),
            employment_type: Job::value(kind),
        };
        let table = [
            (job("ENG-7", "", "", ""), Some(Licence::Pro)),
            (job("eng-7", "", "", "Contractor"), Some(Licence::Basic)),
            (job("MGR", "", "", ""), Some(Licence::Pro)),
            (job("MGR-2", "", "", ""), Some(Licence::Basic)),
            (job("", "sales", "lyon", ""), Some(Licence::Plus)),
            (job("", "sales", "", ""), Some(Licence::Basic)),
            (job("", "", "", ""), None),
        ];
        for (index, (job, expected)) in table.into_iter().enumerate() {
            assert_eq!(rules.of(&job), expected, "row {index}");
        }
    }
}
