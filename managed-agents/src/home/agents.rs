//! Agents: registered, renewed, stopped, and listed.

use super::Home;
use super::error::HomeError;
use crate::approval::{ApproverKey, StatementKind};
use crate::audit::entry::Entry;
use crate::call::AgentId;
use crate::identity::{
    AgentState, Certificate, Delegation, Enrolment, Moment, Passport, StateStatement, VerifiedPassport,
};
use crate::store::{Query, Reader};

/// One agent, as its last statements leave it.
#[derive(Clone, Debug)]
pub struct AgentSummary {
    passport: Passport,
    last: Option<StateStatement>,
    state: AgentState,
    passports: usize,
}

impl AgentSummary {
    /// The agent's id.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.passport.agent()
    }

    /// Its passport.
    #[must_use]
    pub fn passport(&self) -> &Passport {
        &self.passport
    }

    /// Whether it may act: as its last statement says, unless it was stopped without one, because an old copy of the record was restored or
    /// somebody for whom it acts is stopped.
    #[must_use]
    pub fn state(&self) -> AgentState {
        self.state
    }

    /// Its last statement; none if there was none.
    #[must_use]
    pub fn last_statement(&self) -> Option<&StateStatement> {
        self.last.as_ref()
    }

    /// How many passports it has had.
    #[must_use]
    pub fn passports(&self) -> usize {
        self.passports
    }
}

impl Home {
    /// Registers an agent, whose key is made if it is not here; one that is registered gets a new passport with what is
    /// enrolled now.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the agent is revoked, the authority's key is not here, or nothing can be written.
    pub fn register(&self, enrolment: &Enrolment) -> Result<Passport, HomeError> {
        let authority = self
            .authority()
            .ok_or_else(|| HomeError::no_authority("registering an agent"))?;
        let now = self.now();
        let agent = enrolment.agent();
        let (key, _) = self.keys().agent_key(agent)?;
        let credential = match self.agent(agent.as_str())? {
            None => authority.issue_for(enrolment, key.public(), now)?,
            Some(known) => {
                let previous = self.verified(&known)?;
                authority.reissue(&previous, known.state(), enrolment, key.public(), now)?
            }
        };
        self.keep(credential.passport(), now)
    }

    /// Registers a sub-agent, to which an agent hands on some of its rights: never more than it has, signed with its own key, which must be
    /// here. `name` follows the agent's own and a dot; `limit` says what is handed on. The passport is recorded, names the one that it
    /// rests on, and ends no later. Whoever stops the agent stops the sub-agent.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the agent is not registered or may hand nothing on, or the sub-agent is revoked.
    ///
    /// # Examples
    ///
    /// ```
    /// use managed_agents::home::Home;
    /// use managed_agents::identity::{AgentState, Enrolment, Scope};
    /// use managed_agents::store::StoreOptions;
    /// # let dir = std::env::temp_dir().join(format!("ma-home-delegate-{}", std::process::id()));
    /// let home = Home::open(StoreOptions::new(&dir).high_water(dir.join("elsewhere")))?;
    /// home.register(&Enrolment::new(managed_agents::AgentId::parse("support")?).delegable(1))?;
    /// let passport = home.delegate("support", "reader", |all| all.scope(Scope::tools(["lookup"])))?;
    /// assert_eq!(passport.agent(), "support.reader");
    ///
    /// home.set_state("support", AgentState::Suspended, "on_holiday")?;
    /// assert_eq!(home.store().standing("support.reader").map(|one| one.state), Some(AgentState::Suspended));
    /// # drop(home); std::fs::remove_dir_all(&dir)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn delegate(
        &self,
        agent: &str,
        name: &str,
        limit: impl FnOnce(Delegation) -> Delegation,
    ) -> Result<Passport, HomeError> {
        let known = self.agent(agent)?.ok_or_else(|| HomeError::not_registered(agent))?;
        let parent = self.verified(&known)?;
        let (key, _) = self.keys().agent_key(parent.agent())?;
        let sub_agent = AgentId::parse(&format!("{agent}.{name}")).map_err(|error| HomeError::bad_name(&error))?;
        let (sub_key, _) = self.keys().agent_key(&sub_agent)?;
        let mut delegation = limit(Delegation::new(name, sub_key.public()));
        if let Some(before) = self.agent(sub_agent.as_str())? {
            delegation = delegation.succeeding(before.passport());
        }
        let now = self.now();
        let passport = parent.delegate(&key, &delegation, now)?;
        self.keep(&passport, now)
    }

    /// Renews an agent's passport, with the authority's key or the agent's mandate.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the agent is revoked or not registered, neither key nor mandate is here, or nothing can be written.
    pub fn renew(&self, agent: &str) -> Result<Passport, HomeError> {
        let known = self.agent(agent)?.ok_or_else(|| HomeError::not_registered(agent))?;
        let previous = self.verified(&known)?;
        let now = self.now();
        let credential = match (self.authority(), self.trust()) {
            (Some(authority), _) => authority.renew(&previous, known.state(), now)?,
            (None, Some(trust)) => {
                let mandate = self.keys().mandate(previous.agent(), trust)?;
                let mandate = mandate.ok_or_else(|| HomeError::no_authority("renewing without a mandate"))?;
                let next = mandate.renewals().iter().find(|next| {
                    let passport = next.passport();
                    passport.lineage() == Some(previous.id()) && passport.begins() <= now
                });
                next.cloned()
                    .ok_or_else(|| HomeError::no_authority("renewing beyond what the mandate allows"))?
            }
            (None, None) => return Err(HomeError::no_authority("renewing")),
        };
        self.keep(credential.passport(), now)
    }

    /// States that an agent may act, is suspended, or is revoked for good; fsynced, and seen by the next decision in every
    /// process. `reason` is a code of your own in snake case.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the agent is revoked or not registered, the authority's key is not here, nothing can be written, or an agent
    /// is to act again where there is a root approver, so that an order must be signed
    /// ([`reactivate_signed`](Self::reactivate_signed)).
    pub fn set_state(&self, agent: &str, state: AgentState, reason: &str) -> Result<StateStatement, HomeError> {
        if state == AgentState::Active {
            self.unsigned("reactivating an agent")?;
        }
        self.change_state(agent, state, reason, None)
    }

    /// States that an agent may act again, by an order that an enrolled approver signs; the authority's key is needed as well.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the key is not enrolled, the agent is revoked or not registered, the authority's key is not here, or nothing
    /// can be written.
    pub fn reactivate_signed(&self, agent: &str, reason: &str, key: &ApproverKey) -> Result<StateStatement, HomeError> {
        self.change_state(agent, AgentState::Active, reason, Some(key))
    }

    fn change_state(
        &self,
        agent: &str,
        state: AgentState,
        reason: &str,
        key: Option<&ApproverKey>,
    ) -> Result<StateStatement, HomeError> {
        let authority = self
            .authority()
            .ok_or_else(|| HomeError::no_authority("changing an agent's state"))?;
        let known = self.agent(agent)?.ok_or_else(|| HomeError::not_registered(agent))?;
        let previous = self.verified(&known)?;
        let now = self.now();
        let stated = authority.state(&previous, state, reason, known.last_statement(), now)?;
        if let Some(key) = key {
            let about = [("agent", agent.to_owned()), ("reason", reason.to_owned())];
            self.order(StatementKind::Reactivate, about, key)?;
        }
        self.append("agent", stated.as_json(), Some(agent), now)?;
        Ok(stated)
    }

    /// Every agent that was ever registered, by id.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the record cannot be read.
    pub fn agents(&self) -> Result<Vec<AgentSummary>, HomeError> {
        let reader = self.store().reader()?;
        let standings = reader.agents()?;
        standings
            .into_iter()
            .filter_map(|(agent, standing)| summary(&reader, &agent, standing.state).transpose())
            .collect()
    }

    /// One agent; none if it was never registered.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the record cannot be read.
    pub fn agent(&self, agent: &str) -> Result<Option<AgentSummary>, HomeError> {
        let reader = self.store().reader()?;
        let standing = reader.agents()?.into_iter().find(|(known, _)| known == agent);
        match standing {
            Some((_, standing)) => summary(&reader, agent, standing.state),
            None => Ok(None),
        }
    }

    /// An agent's certificate (X.509), made anew from its passport: for those who know only X.509.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the agent is not registered, or the authority's key is not here.
    pub fn certificate(&self, agent: &str) -> Result<Certificate, HomeError> {
        let authority = self
            .authority()
            .ok_or_else(|| HomeError::no_authority("certifying an agent"))?;
        let known = self.agent(agent)?.ok_or_else(|| HomeError::not_registered(agent))?;
        Ok(authority.certify_sub_agent(&self.verified(&known)?, self.now())?)
    }

    /// What a harness needs of its agent: registered, if that can be done here, and renewed from now on while this
    /// directory is open. One that is stopped stays so; its calls are denied.
    pub(crate) fn enrol(&self, agent: &AgentId) -> Result<(), HomeError> {
        match self.agent(agent.as_str())? {
            None if self.authority().is_some() => {
                // another process may register the same agent between the look and the entry: there is one key of it, so that
                // whichever was first, the agent is this one
                if let Err(error) = self.register(&Enrolment::new(agent.clone()))
                    && (error.code() != "entry_refused" || self.agent(agent.as_str())?.is_none())
                {
                    return Err(error);
                }
            }
            None => return Err(HomeError::not_registered(agent.as_str())),
            Some(known) if self.is_due(&known) => {
                // a call that comes after the end is denied with `certificate_expired`, which says more than an error here
                if let Err(error) = self.renew(agent.as_str()) {
                    tracing::warn!(
                        agent = agent.as_str(),
                        code = error.code(),
                        "the agent's identity cannot be renewed"
                    );
                }
            }
            Some(_) => {}
        }
        self.renew_in_time(agent);
        Ok(())
    }

    /// Whether half of a passport's time is over.
    pub(super) fn is_due(&self, known: &AgentSummary) -> bool {
        let passport = known.passport();
        known.state() != AgentState::Revoked && self.now() >= passport.expires().before(passport.lifetime() / 2)
    }

    fn keep(&self, passport: &Passport, now: Moment) -> Result<Passport, HomeError> {
        self.append("agent", passport.as_json(), Some(passport.agent()), now)?;
        Ok(passport.clone())
    }

    fn verified(&self, known: &AgentSummary) -> Result<VerifiedPassport, HomeError> {
        let trust = self
            .trust()
            .ok_or_else(|| HomeError::no_authority("checking a passport"))?;
        let chain = self.store().reader()?.chain(&known.passport)?;
        Ok(trust.verify(&chain)?)
    }
}

/// What the statements about an agent say.
fn summary(reader: &Reader, agent: &str, state: AgentState) -> Result<Option<AgentSummary>, HomeError> {
    let mut query = Query::new().kind("agent").agent(agent);
    let (mut passport, mut last, mut passports) = (None, None, 0);
    loop {
        let page = reader.query(&query)?;
        for body in page.entries().iter().filter_map(|entry: &Entry| entry.raw("body")) {
            if let Ok(newer) = Passport::parse(body) {
                passport = Some(newer);
                passports += 1;
            } else {
                last = Some(StateStatement::parse(body)?);
            }
        }
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => break,
        }
    }
    Ok(passport.map(|passport| AgentSummary {
        passport,
        last,
        state,
        passports,
    }))
}
