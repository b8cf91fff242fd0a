"""Mail through Communication Services: the service, its domain and its sender."""

from cloud.framework import (
    CommunicationService,
    CommunicationServiceEmailDomainAssociation,
    Construct,
    EmailCommunicationService,
    EmailCommunicationServiceDomain,
    EmailCommunicationServiceDomainSenderUsername,
    ResourceGroup,
)
from cloud.settings import MANAGED_DOMAIN, CloudSettings


class Mail(Construct):
    """The communication service and one domain.

    A domain of the organisation is connected only after it was verified, which Azure does outside Terraform; so it
    takes a second apply.
    """

    def __init__(self, scope: Construct, id: str, *, settings: CloudSettings, group: ResourceGroup) -> None:
        super().__init__(scope, id)
        mail = settings.mail
        common = {
            "resource_group_name": group.name,
            "data_location": mail.data_location,
            "tags": settings.tags or None,
        }
        self.service = CommunicationService(self, "service", name=f"{settings.name}-communication", **common)
        self.service.override_logical_id("lab")
        email = EmailCommunicationService(self, "email", name=f"{settings.name}-email", **common)
        email.override_logical_id("lab")
        self.domain = EmailCommunicationServiceDomain(
            self,
            "domain",
            name=mail.domain or MANAGED_DOMAIN,
            email_service_id=email.id,
            domain_management="CustomerManaged" if mail.domain else "AzureManaged",
            user_engagement_tracking_enabled=False,
            tags=settings.tags or None,
        )
        self.domain.override_logical_id("lab")
        if not mail.can_send:
            return
        if mail.has_own_sender:
            EmailCommunicationServiceDomainSenderUsername(
                self,
                "sender",
                name=mail.sender,
                display_name=mail.sender_display_name or None,
                email_service_domain_id=self.domain.id,
            ).override_logical_id("lab")
        CommunicationServiceEmailDomainAssociation(
            self,
            "association",
            communication_service_id=self.service.id,
            email_service_domain_id=self.domain.id,
        ).override_logical_id("lab")
